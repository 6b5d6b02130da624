from __future__ import annotations

import io
import lzma
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from prism_iac.errors import Conflict
from prism_iac.hypervisor.qemu.guest._cpio import write_ramdisk
from prism_iac.hypervisor.qemu.guest._modules import modules_in_order


def _files(root: Path) -> Path:
    (root / "b").mkdir(parents=True)
    (root / "a-file").write_text("first\n")
    (root / "b" / "tool").write_text("#!/bin/sh\n")
    (root / "b" / "tool").chmod(0o700)
    (root / "link").symlink_to("b/tool")
    return root


def _ramdisk(root: Path) -> bytes:
    file = io.BytesIO()
    write_ramdisk(root, file)
    return file.getvalue()


def test_the_bytes_do_not_tell_when_by_whom_and_under_which_mask_files_were_made(tmp_path: Path) -> None:
    one, other = _files(tmp_path / "one"), _files(tmp_path / "other")
    for path in other.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    (other / "a-file").chmod(0o600)
    assert _ramdisk(one) == _ramdisk(other)
    (other / "a-file").write_text("other\n")
    assert _ramdisk(one) != _ramdisk(other)


def test_each_entry_is_as_the_form_demands(tmp_path: Path) -> None:
    data = _ramdisk(_files(tmp_path / "root"))
    entries = {}
    at = 0
    while at < len(data):
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at : at + 6] == b"070701"
        name = data[at + 110 : at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) & ~3
        entries[name] = (oct(fields[1]), data[start : start + fields[6]])
        at = (start + fields[6] + 3) & ~3
    assert entries == {
        "a-file": ("0o100644", b"first\n"),
        "b": ("0o40755", b""),
        "b/tool": ("0o100755", b"#!/bin/sh\n"),
        "link": ("0o120777", b"b/tool"),
        "TRAILER!!!": ("0o0", b""),
    }


@pytest.mark.skipif(shutil.which("cpio") is None, reason="there is no cpio to read the archive with")
def test_cpio_reads_it(tmp_path: Path) -> None:
    data = _ramdisk(_files(tmp_path / "root"))
    listed = subprocess.run(["cpio", "-t", "--quiet"], input=data, check=True, capture_output=True)
    assert listed.stdout.decode().split() == ["a-file", "b", "b/tool", "link"]


def _module(folder: Path, name: str, depends: str, *, packed: bool = False) -> None:
    content = b"\x7fELF\0license=GPL\0depends=" + depends.encode() + b"\0"
    path = folder / f"{name}.ko"
    path.write_bytes(content)
    if packed:
        path.with_name(f"{name}.ko.xz").write_bytes(lzma.compress(content))
        path.unlink()


def test_modules_come_after_those_that_they_need(tmp_path: Path) -> None:
    _module(tmp_path, "virtio", "")
    _module(tmp_path, "virtio-ring", "virtio", packed=True)
    _module(tmp_path, "net", "virtio_ring,failover")
    _module(tmp_path, "failover", "")
    modules = modules_in_order(tmp_path, ("net", "virtio"))
    assert list(modules) == ["virtio", "virtio_ring", "failover", "net"]
    assert modules["virtio_ring"].startswith(b"\x7fELF")


def test_a_kernel_without_a_module_that_is_needed_is_refused(tmp_path: Path) -> None:
    _module(tmp_path, "net", "virtio")
    with pytest.raises(Conflict, match="no module virtio"):
        modules_in_order(tmp_path, ("net",))
