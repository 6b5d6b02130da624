"""Finds what people name on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from prism_iac.errors import Conflict, Finding, InvalidInput

__all__ = ["by_name_or_id", "choices_of"]


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=_Named)


def by_name_or_id(records: Iterable[R], wanted: str, *, what: str) -> R:
    """The record with an id or a name; an id counts first.

    Args:
        records: All there are.
        wanted: What was typed.
        what: What a record is called.

    Raises:
        InvalidInput: There is none.
        Conflict: Several have the name.
    """
    known = list(records)
    for record in known:
        if record.id == wanted:
            return record
    named = [record for record in known if record.name == wanted]
    if len(named) > 1:
        raise Conflict(
            f'{len(named)} of them are called "{wanted}"',
            where=what,
            next_step=f"Name one by its id: {', '.join(record.id for record in named)}.",
        )
    if not named:
        raise InvalidInput(
            [
                Finding(
                    path=what,
                    message=f'there is no {what} "{wanted}" in this workspace',
                    fix=choices_of(wanted, [record.name for record in known]),
                )
            ]
        )
    return named[0]


def choices_of(word: str, names: Iterable[str]) -> str:
    """A sentence that helps with a name that is not there."""
    from prism_iac.model import nearest

    return nearest(word, names) or "There is none yet."
