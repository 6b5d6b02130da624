"""A machine made up of a few folders: what is on PATH, and a cache."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from prism_iac.toolchain._cache import Cache
from prism_iac.toolchain._launchers import PLUGINS


def write_script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


def write_cli(folder: Path, version: str, plugins: Iterable[str] = ()) -> Path:
    """A CLI that says a version, and plugins beside it."""
    for plugin in plugins:
        write_script(folder / plugin)
    return write_script(folder / "pulumi", f"echo {version}")


@dataclass
class Machine:
    root: Path
    path: list[Path] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": ":".join(map(str, [*self.path, "/usr/bin", "/bin"])),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "HOME": str(self.root / "home"),
        }

    @property
    def cache(self) -> Cache:
        return Cache.of(self.environ)

    def on_path(self, name: str, version: str, plugins: Iterable[str] = PLUGINS) -> Path:
        """Install a CLI into a folder that is put on PATH, behind those that are there."""
        folder = self.root / name
        self.path.append(folder)
        return write_cli(folder, version, plugins)

    def in_cache(self, version: str, plugins: Iterable[str] = ()) -> Path:
        return write_cli(self.cache.folder / version / "bin", version, plugins)
