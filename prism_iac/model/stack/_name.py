"""The names that people give to the entries of a stack file."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from prism_iac.model._form import Form
from prism_iac.model._refusal import Refusal
from prism_iac.model._words import shown

__all__ = ["EntryName", "Reference", "parse_name"]

_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_NAME: Final = re.compile(_PATTERN)


def parse_name(text: str) -> str:
    """A name of an entry.

    Raises:
        Refusal: It could not stand in a resource's name, a file's name and a reference alike.
    """
    if not _NAME.fullmatch(text):
        raise Refusal(
            f"{shown(text)} is no name",
            "Use letters, digits, dots, dashes and underscores, up to 100, beginning with a letter or digit.",
        )
    return text


EntryName = Annotated[str, AfterValidator(parse_name), Form("name", {"pattern": _PATTERN})]
"""The name of an entry of a table."""

Reference = Annotated[str, AfterValidator(str.strip), Form("name")]
"""The name of an entry elsewhere in the file."""
