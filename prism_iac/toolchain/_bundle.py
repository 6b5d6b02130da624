"""A CLI without Python plugins, and ours beside it.

The CLI looks for the plugins of Python beside its own file, without a warning. A bundle is a folder with a
hard link to the CLI and our launchers, which name one interpreter; so each Python environment has its own.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from prism_iac.toolchain._cache import Cache
from prism_iac.toolchain._candidates import Cli
from prism_iac.toolchain._launchers import launcher_text
from prism_iac.toolchain._pulumi import Pulumi

__all__ = ["complete", "make_complete"]


def complete(cli: Cli, cache: Cache) -> Pulumi | None:
    """The CLI as it can be used: with its own plugins, or in a bundle that exists; None when there is none."""
    if not cli.missing:
        return Pulumi(
            binary=cli.binary,
            version=cli.version,
            bin_folders=_distinct(cli.binary.parent, *(place.parent for place in cli.plugins.values())),
            has_own_host=False,
        )
    folder = _bundle_of(cli, cache)
    launchers = {folder / plugin: launcher_text(plugin, _interpreter()) for plugin in cli.missing}
    if not (folder / "pulumi").is_file() or any(_text(path) != text for path, text in launchers.items()):
        return None
    return Pulumi(
        binary=folder / "pulumi",
        version=cli.version,
        bin_folders=_distinct(folder, *(place.parent for place in cli.plugins.values())),
        has_own_host=True,
    )


def make_complete(cli: Cli, cache: Cache) -> Pulumi:
    """The CLI as it can be used; a bundle is made where it lacks plugins. The caller holds the cache."""
    if cli.missing:
        folder = _bundle_of(cli, cache)
        folder.mkdir(parents=True, exist_ok=True)
        _place(folder / "pulumi", partial(_link_or_copy, cli.binary.resolve()))
        for plugin in cli.missing:
            _place(folder / plugin, partial(_write_script, launcher_text(plugin, _interpreter())))
    pulumi = complete(cli, cache)
    assert pulumi is not None, "the bundle was written under the lock"
    return pulumi


def _bundle_of(cli: Cli, cache: Cache) -> Path:
    return cache.bundle_folder(cli.version, _interpreter()) / "bin"


def _interpreter() -> Path:
    """This environment's Python, by the same one of its names whichever it was started by."""
    started = Path(sys.executable)
    usual = started.with_name("python")
    return usual if usual.exists() else started


def _place(target: Path, write: Callable[[Path], None]) -> None:
    """Write a file elsewhere and move it to its place: whoever runs the old one goes on undisturbed."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
        draft = Path(scratch) / target.name
        write(draft)
        draft.replace(target)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or a file of somebody else
        shutil.copy2(source, target)


def _write_script(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _distinct(*folders: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(folders))
