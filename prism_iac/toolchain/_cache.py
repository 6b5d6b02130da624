"""Where obtained CLIs are kept: outside every checkout, one folder per version.

<cache>/prism-iac/pulumi/
├── .lock               held by the process that obtains a CLI
└── v3.259.0/
    ├── bin/            the CLI as it was built or installed
    └── for-4f0c…/bin/  the CLI with our language host beside it, one for each Python environment
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.toolchain._version import Version

__all__ = ["Cache"]

_VERSION_FOLDER: Final = re.compile(r"v\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of CLIs of one user."""

    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Cache:
        """The cache that an environment names (XDG Base Directory Specification 0.8)."""
        named = Path(environ.get("XDG_CACHE_HOME", ""))
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
        # The specification has relative paths ignored.
        base = named if named.is_absolute() else home / ".cache"
        return cls(base / "prism-iac" / "pulumi")

    def version_folder(self, version: Version) -> Path:
        """Where the CLI of a version lies; it need not exist."""
        return self.folder / f"v{version}"

    def bundle_folder(self, version: Version, interpreter: Path) -> Path:
        """Where the CLI of a version lies with our language host for an interpreter; it need not exist."""
        mark = hashlib.sha256(str(interpreter).encode()).hexdigest()[:12]
        return self.version_folder(version) / f"for-{mark}"

    def versions(self) -> list[Version]:
        """The versions whose CLI is here, newest first."""
        return sorted(self._versions(), reverse=True)

    def _versions(self) -> Iterator[Version]:
        for binary in self.folder.glob("v*/bin/pulumi"):
            name = binary.parent.parent.name
            version = Version.parse(name)
            if version and _VERSION_FOLDER.fullmatch(name):
                yield version

    @contextmanager
    def locked(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the cache alone; the kernel lets go of it when its holder dies.

        Args:
            on_wait: Called when another process holds it, before waiting for it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
