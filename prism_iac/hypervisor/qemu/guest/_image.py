"""Where guest images are kept: outside every checkout, one folder per agent.

<cache>/prism-iac/guest/
├── .lock            held by the process that builds one
└── 4f0c…/           named by the agent's code, the versions of its libraries and what builds the image
    ├── kernel
    ├── initrd
    └── image.json   what it was made from; written last
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.hypervisor.qemu.guest._python import PACKAGE, agent_files, installed_versions

__all__ = ["COMMAND_LINE", "GuestImage", "cache_folder", "find_image", "image_key"]

COMMAND_LINE: Final = "console=ttyS0 quiet panic=-1"
"""The kernel's; a kernel that cannot go on ends the VM."""

_KEY_DIGITS: Final = 16
_BUILDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class GuestImage:
    """One built image; it may be absent."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """What QEMU boots."""
        return self.folder / "kernel"

    @property
    def initrd(self) -> Path:
        """The initial ramdisk, which holds everything."""
        return self.folder / "initrd"

    @property
    def facts_file(self) -> Path:
        """What it was made from; there when the image is whole."""
        return self.folder / "image.json"

    def facts(self) -> dict[str, dict[str, str]]:
        """`files`: SHA-256 of kernel and initrd; `packages`: Debian's, with their versions."""
        facts: dict[str, dict[str, str]] = json.loads(self.facts_file.read_bytes())
        return facts


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder of all images that an environment names (XDG Base Directory Specification 0.8)."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    # The specification has relative paths ignored.
    return (named if named.is_absolute() else home / ".cache") / "prism-iac" / "guest"


def find_image(environ: Mapping[str, str]) -> GuestImage | None:
    """The image with the agent of this package; None when it is not built."""
    image = GuestImage(cache_folder(environ) / image_key())
    return image if image.facts_file.exists() else None


def image_key() -> str:
    """A name for what of this environment goes into an image."""
    description = {
        "agent": _digest(PACKAGE, agent_files()),
        "builder": _digest(_BUILDER, _builder_files()),
    } | installed_versions()
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:_KEY_DIGITS]


def _builder_files() -> list[Path]:
    return sorted(path.relative_to(_BUILDER) for path in _BUILDER.iterdir() if path.is_file())


def _digest(folder: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(
            f"{file.as_posix()}\0{hashlib.sha256((folder / file).read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()
