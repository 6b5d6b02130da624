"""A driver whose QEMU is a script, and whose guest image is a folder with two small files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_iac.hypervisor import VmSpec
from prism_iac.hypervisor.qemu import QemuHypervisor
from prism_iac.hypervisor.qemu._host import Host
from prism_iac.model.resources import QemuSettings
from tests.unit.hypervisor.conftest import NOW, SPEC

NOTHING = Host(has_kvm=False, has_sev_snp=False, has_tdx=False)
EVERYTHING = Host(has_kvm=True, has_sev_snp=True, has_tdx=True)

STAND_IN = '#!/bin/sh\nprintf "%s\\n" "$@" > arguments\necho up\nread -r line <>"$VMS_WAIT"\n'
"""Notes its arguments in the VM's folder and waits for a pipe that nobody writes to."""


def plain(tmp_path: Path, **more: Any) -> VmSpec:
    """A plain VM from files of the test."""
    files = {name: str(tmp_path / name) for name in ("binary", "kernel", "initrd")}
    return replace(SPEC, qemu=QemuSettings.model_validate({"protection": "none", **files, **more}))


@pytest.fixture
def data(tmp_path: Path, platform_folder: Path) -> Iterator[Path]:
    """A data folder whose platform is made, beside the files of a launch; nothing may be left running in it."""
    data = tmp_path / "data"
    shutil.copytree(platform_folder, data / "platform")
    os.mkfifo(tmp_path / "never")
    (tmp_path / "binary").write_text(STAND_IN.replace("$VMS_WAIT", str(tmp_path / "never")))
    (tmp_path / "binary").chmod(0o700)
    (tmp_path / "kernel").write_bytes(b"a kernel")
    (tmp_path / "initrd").write_bytes(b"an initrd")
    yield data
    hypervisor = QemuHypervisor(data, grace_seconds=0)
    for vm in hypervisor.list():
        hypervisor.remove(vm.id)
    assert guests_in(data) == set()


@pytest.fixture
def hypervisor(data: Path) -> QemuHypervisor:
    return QemuHypervisor(data, detect=lambda: NOTHING, now=lambda: NOW, grace_seconds=5)


def guests_in(data: Path) -> set[int]:
    """Every living process that works in a VM's folder."""
    found = set()
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and (path / "cwd").readlink().is_relative_to(data / "qemu"):
                found.add(int(path.name))
        except OSError:
            continue
    return found
