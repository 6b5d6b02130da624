"""The kernel modules that the guest needs, in the order in which they can be loaded.

A module says in its section `.modinfo` what it depends on (Linux `include/linux/module.h`, `MODULE_INFO`), as
strings that end with NUL; newer kernels of Debian compress the file.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Final

from prism_iac.errors import Conflict

__all__ = ["NEEDED", "modules_in_order"]

NEEDED: Final = ("virtio_pci", "virtio_net", "9pnet_virtio", "9p")
"""What hands over folders and carries the network."""

_DEPENDS: Final = b"depends="
_SUFFIXES: Final = (".ko", ".ko.xz")


def modules_in_order(folder: Path, needed: tuple[str, ...] = NEEDED) -> dict[str, bytes]:
    """The modules by name, with those that they depend on before them.

    Args:
        folder: Of one kernel's modules.
        needed: Their names.

    Raises:
        Conflict: The kernel has no such module.
    """
    files = {
        _canonical(path.name.partition(".")[0]): path
        for path in sorted(folder.rglob("*.ko*"))
        if path.name.endswith(_SUFFIXES)
    }
    found: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in found:
            return
        if name not in files:
            raise Conflict(
                f"the kernel has no module {name}", next_step="Use a kernel that has it, such as Debian's."
            )
        content = _content(files[name])
        for dependency in _dependencies(content):
            add(dependency)
        found[name] = content

    for name in needed:
        add(name)
    return found


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _dependencies(module: bytes) -> list[str]:
    for text in module.split(b"\0"):
        if text.startswith(_DEPENDS):
            names = text.removeprefix(_DEPENDS).decode("ascii").split(",")
            return [_canonical(name) for name in names if name]
    return []


def _canonical(name: str) -> str:
    """The kernel takes a hyphen for an underscore in the name of a module."""
    return name.replace("-", "_")
