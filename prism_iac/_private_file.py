"""Files that a kill leaves whole or not there."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_private"]


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read; until it is whole its name has a dot in front."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_bytes(content)
    unfinished.replace(path)
