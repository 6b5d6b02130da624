"""The CLIs of this machine, official ones first."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.toolchain._cache import Cache
from prism_iac.toolchain._launchers import PLUGINS
from prism_iac.toolchain._version import Version

__all__ = ["Cli", "candidates", "read_version"]

_ANSWER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Cli:
    """A CLI of a version that serves, with or without its Python plugins.

    Attributes:
        binary: The CLI, absolute; symbolic links are kept.
        version: Its version.
        plugins: Where those of its Python plugins lie that it has, by name.
    """

    binary: Path
    version: Version
    plugins: Mapping[str, Path]

    @classmethod
    def at(cls, binary: Path, version: Version, *, search_path: str = "") -> Cli:
        """The CLI at a place, its plugins found beside it or on a search path.

        A CLI looks on PATH and beside its own file; links are followed to find that.
        """
        path = os.pathsep.join(filter(None, [str(binary.resolve().parent), search_path]))
        found = {plugin: shutil.which(plugin, path=path) for plugin in PLUGINS}
        return cls(binary, version, {plugin: Path(place) for plugin, place in found.items() if place})

    @property
    def missing(self) -> tuple[str, ...]:
        """The Python plugins it has not."""
        return tuple(plugin for plugin in PLUGINS if plugin not in self.plugins)


def candidates(environ: Mapping[str, str], cache: Cache) -> Iterator[Cli]:
    """Every CLI on PATH that serves, in the order of PATH, then those of the cache, newest first.

    What the cache has put on PATH is left out: it may belong to another Python environment.
    """
    folders = [
        folder
        for folder in environ.get("PATH", "").split(os.pathsep)
        if folder and not Path(folder).is_relative_to(cache.folder)
    ]
    search_path = os.pathsep.join(folders)
    for folder in folders:
        binary = shutil.which("pulumi", path=folder)
        version = read_version(Path(binary), environ) if binary else None
        if binary and version and version.serves:
            yield Cli.at(Path(binary).absolute(), version, search_path=search_path)
    for version in cache.versions():
        if version.serves:
            yield Cli.at(cache.version_folder(version) / "bin" / "pulumi", version)


def read_version(binary: Path, environ: Mapping[str, str]) -> Version | None:
    """The version that a CLI says it has; None when it does not run or says none."""
    try:
        answer = subprocess.run(  # noqa: S603  # a program of this name that the user put on PATH
            [str(binary), "version"],
            env={**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Version.parse(answer.stdout) if answer.returncode == 0 else None
