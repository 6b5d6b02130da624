"""Reads the text of a stack file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput

__all__ = ["read_source"]

_LARGEST_BYTES: Final = 64 << 20
_BYTE_ORDER_MARK: Final = "\ufeff"


def read_source(path: Path) -> str:
    """The text of a file.

    Raises:
        InvalidInput: It cannot be read, or is not UTF-8 text.
    """
    try:
        if path.is_dir():
            raise _unusable(path, "this is a folder", "Name the stack file in it.")
        if path.exists() and not path.is_file():
            raise _unusable(path, "this is not a regular file", "Save its text in a file first.")
        data = path.read_bytes() if path.stat().st_size <= _LARGEST_BYTES else None
    except FileNotFoundError:
        raise _unusable(path, "there is no such file", "Check the path.") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _unusable(
            path, f"the file cannot be read: {reason}", "Check the path and its rights."
        ) from error
    if data is None:
        raise _unusable(path, "the file is larger than 64 MiB", "Split it into several stacks.")
    return _decoded(path, data)


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise _unusable(
            path,
            f"the byte 0x{data[error.start]:02x} is not UTF-8 text",
            "Save the file as UTF-8.",
            before=before,
        ) from error


def _unusable(path: Path, message: str, fix: str, *, before: str = "") -> InvalidInput:
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return InvalidInput([Finding(file=str(path), line=line, column=column, message=message, fix=fix)])
