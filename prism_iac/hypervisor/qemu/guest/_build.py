"""Builds the image and keeps it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prism_iac.hypervisor.qemu.guest._cpio import write_ramdisk
from prism_iac.hypervisor.qemu.guest._image import GuestImage, cache_folder, find_image, image_key
from prism_iac.hypervisor.qemu.guest._modules import modules_in_order
from prism_iac.hypervisor.qemu.guest._packages import MERGED, download_packages, unpack
from prism_iac.hypervisor.qemu.guest._python import compile_sources, install_agent, standard_library

__all__ = ["build_image"]

_KEPT_IMAGES: Final = 4
_AGENT_HOME: Final = "usr/lib/prism-iac"
_EMPTY: Final = ("dev", "etc/certs", "etc/cocos", "proc", "sys", "tmp", "usr/sbin")
_UNUSED: Final = (
    "usr/share",
    "etc/python3*",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/audit",
)


def build_image(
    environ: Mapping[str, str], *, report: Callable[[str], None], again: bool = False
) -> GuestImage:
    """The image with the agent of this package, built unless it is there.

    Takes about a minute and some 100 MB of downloads.

    Args:
        environ: Names the cache.
        report: Takes one line of progress.
        again: Build it although it is there, from the packages of today.

    Raises:
        Conflict: A package or a wheel cannot be had, or a program is missing.
    """
    cache = cache_folder(environ)
    with _locked(cache):
        if not again and (found := find_image(environ)) is not None:
            return found
        with tempfile.TemporaryDirectory(dir=cache, prefix=".building-") as work:
            built = _build(Path(work), report)
            image = GuestImage(cache / image_key())
            shutil.rmtree(image.folder, ignore_errors=True)
            built.folder.replace(image.folder)
            _forget_oldest(cache)
            return image


def _forget_oldest(cache: Path) -> None:
    """Environments of several versions share the cache; a guest that runs has read its image."""
    images = sorted(cache.glob("*/image.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in images[_KEPT_IMAGES:]:
        shutil.rmtree(file.parent)


def _build(work: Path, report: Callable[[str], None]) -> GuestImage:
    downloads, kernel, root = (work / name for name in ("packages", "kernel", "root"))
    image = GuestImage(work / "image")
    for folder in (downloads, kernel, root, image.folder):
        folder.mkdir()
    report("downloading Debian packages")
    packages = download_packages(downloads)
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name, package in packages.items():
        unpack(package, kernel if name.startswith("linux-image-") else root)
    report("installing the agent and its libraries")
    install_agent(root, root / _AGENT_HOME, scratch=work)
    compile_sources(root, standard_library(root), root / _AGENT_HOME)
    report("writing kernel and initrd")
    _arrange(root)
    _add_modules(root, kernel)
    (found,) = (kernel / "boot").glob("vmlinuz-*")
    shutil.copyfile(found, image.kernel)
    with image.initrd.open("wb") as file:
        write_ramdisk(root, file)
    facts = {
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (image.kernel, image.initrd)
        },
        "packages": {
            name: package.name.split("_")[1].replace("%3a", ":") for name, package in packages.items()
        },
    }
    image.facts_file.write_text(json.dumps(facts, indent=2) + "\n")
    return image


def _arrange(root: Path) -> None:
    """Leave what the guest uses, and add its first process."""
    for pattern in _UNUSED:
        for path in root.glob(pattern):
            shutil.rmtree(path)
    for name in _EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("init"), root / "init")
    (root / "init").chmod(0o755)
    python = standard_library(root).name
    (root / "usr/bin/python3").unlink(missing_ok=True)
    (root / "usr/bin/python3").symlink_to(python)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")


def _add_modules(root: Path, kernel: Path) -> None:
    folder = root / "usr/lib/modules"
    folder.mkdir()
    modules = modules_in_order(kernel)
    for name, content in modules.items():
        (folder / f"{name}.ko").write_bytes(content)
    (folder / "order").write_text("".join(f"{name}.ko\n" for name in modules))


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Hold the cache alone; the kernel lets go of it when its holder dies, and the next removes what it left."""
    cache.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(cache / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in cache.glob(".building-*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(descriptor)
