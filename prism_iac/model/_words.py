"""The words for each kind of error that a validation reports: what is wrong, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from prism_iac.model._refusal import Refusal
from prism_iac.model._shape import is_secret, owner_of, settable_fields

__all__ = ["nearest", "shown", "words_for"]

_LISTED_CHOICES: Final = 12
_SHOWN_CHARACTERS: Final = 60


def nearest(word: str, choices: Iterable[str]) -> str:
    """A sentence that names the closest choice, or lists a few; empty when there is none."""
    names = sorted(choices)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Choose one of: {', '.join(names[:_LISTED_CHOICES])}." if names else ""


def shown(value: Any) -> str:
    """A value as a message shows it: quoted, on one line, shortened."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _shortened(str(value))
    if isinstance(value, str):
        return f'"{_shortened(value.encode("unicode_escape").decode("ascii"))}"'
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One error, ready to be put into words.

    Attributes:
        name: The last part of its location.
        found: What stands there instead, such as `, not 4`; empty for a secret.
        value: The value; None for a secret.
        context: What pydantic tells besides.
        owner: The model that the value is a field of.
    """

    name: str
    found: str
    value: Any
    context: Mapping[str, Any]
    owner: type[BaseModel] | None


Words: TypeAlias = tuple[str, str]
"""A message and its fix."""


def words_for(item: ErrorDetails, model: type[BaseModel]) -> Words:
    """The message and the fix of one error.

    Args:
        item: The error as pydantic details it.
        model: The model that was validated; its secret values are not shown.
    """
    location = item["loc"]
    hidden = is_secret(model, location)
    mistake = _Mistake(
        name=str(location[-1]) if location else "",
        found="" if hidden else _found(item["input"]),
        value=None if hidden else item["input"],
        context=item.get("ctx", {}),
        owner=owner_of(model, location),
    )
    if describe := _WORDS.get(item["type"]):
        return describe(mistake)
    return item["msg"][:1].lower() + item["msg"][1:], ""


def _found(value: Any) -> str:
    return ", but is empty" if value is None else f", not {shown(value)}"


def _wanted(what: str, fix: str) -> Callable[[_Mistake], Words]:
    return lambda mistake: (f"must be {what}{mistake.found}", fix)


def _unknown_field(mistake: _Mistake) -> Words:
    misnomers: Mapping[str, str] = getattr(mistake.owner, "misnomers", {})
    names = settable_fields(mistake.owner) if mistake.owner else ()
    fix = misnomers.get(mistake.name) or nearest(mistake.name, names)
    return f'there is no field "{mistake.name}" here', fix


def _missing_field(mistake: _Mistake) -> Words:
    return f'the field "{mistake.name}" is missing', f"Add `{mistake.name}:`."


def _unknown_choice(mistake: _Mistake) -> Words:
    choices = re.findall(r"'([^']*)'", mistake.context["expected"])
    return f"must be one of the known words{mistake.found}", nearest(str(mistake.value), choices)


def _not_text(mistake: _Mistake) -> Words:
    is_spelling = isinstance(mistake.value, bool | int | float)
    return f"must be text{mistake.found}", "Put it in quotes." if is_spelling else "Write a text."


def _not_list(mistake: _Mistake) -> Words:
    is_item = isinstance(mistake.value, str)
    return f"must be a list{mistake.found}", f"Write [{mistake.value if is_item else 'one, two'}]."


def _too_small(mistake: _Mistake) -> Words:
    least = mistake.context["ge"]
    return f"must be at least {least}{mistake.found}", f"Write {least} or more."


def _refused(mistake: _Mistake) -> Words:
    cause = mistake.context["error"]
    return (cause.message, cause.fix) if isinstance(cause, Refusal) else (str(cause), "")


_NUMBER: Final = _wanted("a whole number", "Write a number such as 4.")
_BOOLEAN: Final = _wanted("true or false", "Write true or false.")
_MAPPING: Final = _wanted("a mapping", "Write its fields below it, each as `name: value`.")

_WORDS: Final[dict[str, Callable[[_Mistake], Words]]] = {
    "string_type": _not_text,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "tuple_type": _not_list,
    "list_type": _not_list,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "enum": _unknown_choice,
    "literal_error": _unknown_choice,
    "extra_forbidden": _unknown_field,
    "missing": _missing_field,
    "too_short": lambda _: ("must not be empty", "Name at least one."),
    "greater_than_equal": _too_small,
    "value_error": _refused,
}
"""How to say each error, by pydantic's name of it."""
