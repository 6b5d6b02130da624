"""Debian packages from the sources that this machine is set up with; nothing of it is installed."""

from __future__ import annotations

import io
import os
import re
import tarfile
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict
from prism_iac.hypervisor.qemu.guest._tool import run_tool

__all__ = ["MERGED", "download_packages", "unpack"]

_ROOTS: Final = ("linux-image-amd64", "busybox-static", "python3-minimal", "libpython3-stdlib", "libstdc++6")
"""From these the names are found that hold the version of the kernel and of Python."""

_WANTED: Final = re.compile(
    r"linux-image-\d.*-amd64|busybox-static|python3\.\d+-minimal|libpython3\.\d+-(minimal|stdlib)"
    r"|libc6|libgcc-s1|libstdc\+\+6|zlib1g|libexpat1|libffi\d+|libssl3(t64)?|libbz2-1\.0|liblzma5"
    r"|libuuid1(t64)?|libcrypt1"
)
"""Kernel, shell and interpreter, and the libraries that those and the agent's load; Python would bring Perl."""

_CLOSURE: Final = tuple(
    f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
)
MERGED: Final = ("bin", "lib", "lib64", "sbin")
"""Folders that are links into `usr` (Debian's merged layout)."""


_NEXT_STEP: Final = (
    "Build the image on a machine with Debian's package sources, or name a kernel and an initrd of your own."
)


def download_packages(folder: Path) -> dict[str, Path]:
    """The packages of the guest by name, downloaded into a folder.

    Raises:
        Conflict: This is no machine with Debian's packages, or they cannot be had.
    """
    try:
        return _download(folder)
    except Conflict:
        # A machine that is fresh from its image has no lists yet.
        run_tool(["apt-get", "update", "-qq"], folder, next_step=_NEXT_STEP)
        return _download(folder)


def unpack(package: Path, root: Path) -> None:
    """Lay the files of a package into a folder whose `bin`, `lib` and `sbin` are those of `usr`."""
    archive = run_tool(["dpkg-deb", "--fsys-tarfile", str(package)], package.parent, next_step=_NEXT_STEP)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            member.name = f"usr/{name}" if name.split("/")[0] in MERGED else name
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
            tar.extract(member, root, filter="tar")


def _download(folder: Path) -> dict[str, Path]:
    listed = run_tool(
        ["apt-cache", "depends", "--recurse", *_CLOSURE, *_ROOTS], folder, next_step=_NEXT_STEP
    ).decode()
    names = sorted({line for line in listed.splitlines() if _WANTED.fullmatch(line)})
    run_tool(["apt-get", "download", "-qq", *names], folder, next_step=_NEXT_STEP)
    return {path.name.partition("_")[0]: path for path in sorted(folder.glob("*.deb"))}
