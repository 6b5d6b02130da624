"""One definition of a file, and what is wrong with it, with the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pydantic import ValidationError

from prism_iac.errors import Finding
from prism_iac.exchange._bundle import BundleDocument
from prism_iac.exchange._definition import Definition
from prism_iac.exchange._flat import FlatDocument
from prism_iac.model import Location, findings_of, path_text

__all__ = ["Place", "Row", "Where", "parse_row"]

Place: TypeAlias = tuple[int, int]
"""Line and column, counted from 1."""


class Where(Protocol):
    """Tells where a field of a row stands in its file."""

    def __call__(self, location: Location, *, at_name: bool) -> Place:
        """Line and column of a field's value, or of its name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One computation of a file.

    Attributes:
        number: Its position, counted from 1; 0 for what is wrong with the file itself.
        definition: None where errors stand against it.
        errors: Why it cannot be brought in.
        warnings: What is left out of it.
        finding_at: Makes a finding at what names a user or an asset.
    """

    number: int
    definition: Definition | None
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    finding_at: Callable[[str, str, str], Finding]


def parse_row(
    number: int,
    value: Any,
    *,
    file: str,
    where: Where,
    path_of: Callable[[Location], str],
    problems: tuple[Finding, ...] = (),
) -> Row:
    """Read a decoded row of either layout; fields that nobody knows are left out, with a warning.

    Args:
        number: Its position.
        value: A decoded JSON value, or what columns stand for.
        file: The file as the user named it.
        where: Tells where a field stands.
        path_of: How people call a field.
        problems: What is known to be wrong with it already.
    """

    def locate(location: Location, *, at_name: bool) -> tuple[str, int, int]:
        return (file, *where(location, at_name=at_name))

    def place(location: Location, message: str, fix: str) -> Finding:
        line, column = where(location, at_name=False)
        return Finding(file, line, column, path_of(location), message, fix)

    is_bundle = isinstance(value, Mapping) and any(str(key).lower() == "computation" for key in value)
    model: type[BundleDocument | FlatDocument] = BundleDocument if is_bundle else FlatDocument
    warnings: list[Finding] = []
    errors = list(problems)
    document: BundleDocument | FlatDocument | None = None
    mentioned: dict[str, Location] = {}
    try:
        document = model.model_validate(value)
    except ValidationError as error:
        surplus = {tuple(item["loc"]) for item in error.errors() if item["type"] == "extra_forbidden"}
        for finding, location in _found(error, model, locate):
            named = Finding(
                finding.file, finding.line, finding.column, path_of(location), finding.message, finding.fix
            )
            (warnings if location in surplus else errors).append(named)
        if not errors:
            document = model.model_validate(_without(value, surplus))
    if document is not None:
        for mention, location in document.mentions():
            mentioned.setdefault(mention, location)
    return Row(
        number,
        document.definition() if document is not None and not errors else None,
        tuple(errors),
        tuple(warnings),
        lambda mention, message, fix: place(mentioned.get(mention, ()), message, fix),
    )


def _found(
    error: ValidationError, model: type[BundleDocument | FlatDocument], locate: Any
) -> list[tuple[Finding, Location]]:
    """The findings of a validation with their locations, which findings keep as text only."""
    locations: dict[str, Location] = {}

    def remember(location: Location, *, at_name: bool) -> tuple[str, int, int]:
        locations[path_text(location)] = location
        place: tuple[str, int, int] = locate(location, at_name=at_name)
        return place

    findings = findings_of(error, model, locate=remember).findings
    return [(finding, locations[finding.path]) for finding in findings]


def _without(value: Any, surplus: set[Location], location: Location = ()) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without(item, surplus, (*location, key))
            for key, item in value.items()
            if (*location, key) not in surplus
        }
    if isinstance(value, list):
        return [_without(item, surplus, (*location, index)) for index, item in enumerate(value)]
    return value
