"""Names of files that come from outside."""

from __future__ import annotations

from typing import Final

__all__ = ["problem_of_file_name"]

_MOST_BYTES: Final = 255


def problem_of_file_name(name: str) -> str | None:
    """Why a name is not that of a file in one given folder, as a predicate; None when it is."""
    if not name or name in (".", ".."):
        return "names no file"
    if "/" in name or "\\" in name:
        return "names another folder"
    if not name.isprintable():
        return "has characters that do not print"
    if len(name.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
        return f"has more than {_MOST_BYTES} bytes"
    return None
