"""Files that appear when they are whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["edited", "write_text"]

_MODE = 0o644


def write_text(path: Path, text: str) -> None:
    """Write a file, in a folder that is made where there is none.

    Who is killed in the middle leaves a part that the next one writes over.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.new")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.chmod(_MODE)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def edited(texts: Mapping[Path, str]) -> Iterator[Sequence[Path]]:
    """Files with other texts; as they were before when what is done within fails.

    Raises:
        OSError: One cannot be written.
    """
    before = {path: path.read_text(encoding="utf-8") for path in texts}
    try:
        for path, text in texts.items():
            write_text(path, text)
        yield tuple(texts)
    except BaseException:
        for path, text in before.items():
            write_text(path, text)
        raise
