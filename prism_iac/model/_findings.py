"""Turns what pydantic reports into findings that people can act on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeAlias

from pydantic import BaseModel, ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model._refusal import Refusal
from prism_iac.model._words import words_for

__all__ = ["Locate", "Location", "findings_of", "nowhere", "path_text"]

Location: TypeAlias = tuple[int | str, ...]
"""The way to a field, from the top of its document."""


class Locate(Protocol):
    """Tells where a field stands."""

    def __call__(self, location: Location, *, at_name: bool) -> tuple[str, int, int]:
        """File, line and column of a field's value, or of its name."""


def nowhere(location: Location, *, at_name: bool) -> tuple[str, int, int]:  # noqa: ARG001  # the shape of Locate
    """The place of a value that came from code."""
    return "", 0, 0


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
    locate: Locate = nowhere,
) -> InvalidInput:
    """Every error of a validation as one `InvalidInput`.

    Args:
        error: What pydantic raised.
        model: The model that was validated; used to suggest field names and to hide secret values.
        within: Where the validated value lies in its document.
        locate: Tells where a field stands, for models read from a file.
    """
    return InvalidInput(_findings(error, model, within, locate))


def _findings(
    error: ValidationError, model: type[BaseModel], within: Location, locate: Locate
) -> Iterator[Finding]:
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        field = (cause.field,) if isinstance(cause, Refusal) and cause.field else ()
        location = (*within, *item["loc"], *field)
        file, line, column = locate(location, at_name=item["type"] == "extra_forbidden")
        message, fix = words_for(item, model)
        yield Finding(file=file, line=line, column=column, path=path_text(location), message=message, fix=fix)
