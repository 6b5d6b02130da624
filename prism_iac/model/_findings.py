"""Turns what pydantic reports into findings that people can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pydantic import BaseModel, ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model._refusal import Refusal
from prism_iac.model._words import words_for

__all__ = ["Location", "findings_of", "path_text"]

Location: TypeAlias = tuple[int | str, ...]
"""The way to a field, from the top of its document."""


def path_text(location: Location) -> str:
    """A field path such as `computations.iris.datasets[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    *,
    within: Location = (),
    locate: Callable[[Location], tuple[str, int, int]] = lambda _: ("", 0, 0),
) -> InvalidInput:
    """Every error of a validation as one `InvalidInput`.

    Args:
        error: What pydantic raised.
        model: The model that was validated; used to suggest field names and to hide secret values.
        within: Where the validated value lies in its document.
        locate: Gives file, line and column of a field path, for models read from a file.
    """
    return InvalidInput(_findings(error, model, within, locate))


def _findings(
    error: ValidationError,
    model: type[BaseModel],
    within: Location,
    locate: Callable[[Location], tuple[str, int, int]],
) -> Iterator[Finding]:
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        field = (cause.field,) if isinstance(cause, Refusal) and cause.field else ()
        location = (*within, *item["loc"], *field)
        file, line, column = locate(location)
        message, fix = words_for(item, model)
        yield Finding(file=file, line=line, column=column, path=path_text(location), message=message, fix=fix)
