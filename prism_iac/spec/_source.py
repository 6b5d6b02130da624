"""Reads the text of a stack file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput

__all__ = ["read_source"]

_LARGEST_BYTES: Final = 64 << 20
_BYTE_ORDER_MARK: Final = "\ufeff"
# YAML 1.2.2 §5.1, c-printable, without the byte order mark that may begin a file.
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_source(path: Path) -> str:
    """The text of a file.

    Raises:
        InvalidInput: It cannot be read, or is not UTF-8 text that YAML accepts.
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
    return _printable(path, _decoded(path, data))


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


def _printable(path: Path, text: str) -> str:
    found = _UNPRINTABLE.search(text)
    if found:
        raise _unusable(
            path,
            f"the character U+{ord(found[0]):04X} may not stand in a YAML file",
            'Remove it, or write it as an escape such as "\\u0007" in double quotes.',
            before=text[: found.start()],
        )
    return text


def _unusable(path: Path, message: str, fix: str, *, before: str = "") -> InvalidInput:
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return InvalidInput([Finding(file=str(path), line=line, column=column, message=message, fix=fix)])
