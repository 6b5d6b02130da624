"""The reference pages: Markdown, one for each kind of resource and one for the stack file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from prism_iac.model._change import Change, Rule
from prism_iac.model._form import Form
from prism_iac.model._shape import settable_fields
from prism_iac.model.resources import KINDS
from prism_iac.model.schema._json_schema import FROM_THE_PROVIDER, file_stem
from prism_iac.model.schema._words import field_words, first_sentence, words_of
from prism_iac.model.stack import MadeEntry, StackFile

__all__ = ["reference_pages"]


def reference_pages() -> Mapping[str, str]:
    """Every page by its name; `README` is the list of the others."""
    pages = {file_stem(kind): _kind_page(kind, model) for kind, model in KINDS.items()}
    return {"README": _index(), "stack-file": _stack_page(), **pages}


def _index() -> str:
    entries = "\n".join(
        f"- [{kind}]({file_stem(kind)}.md): {_lower_first(first_sentence(words_of(model)))}"
        for kind, model in KINDS.items()
    )
    changes = "\n".join(f"| {change.value} | {change.meaning} |" for change in Change)
    return f"""# Reference

Made from the models by `make generate`; the same models give the JSON Schemas in `schemas/`.

- [The stack file](stack-file.md): {_lower_first(first_sentence(words_of(StackFile)))}
- [The command line](cli.md): made from the commands.

Resources:

{entries}

What a change of a field does:

| on change | meaning |
| --- | --- |
{changes}
"""


def _kind_page(kind: str, model: type[BaseModel]) -> str:
    inputs = settable_fields(model)
    outputs = tuple(name for name in model.model_fields if name not in inputs)
    sections = [
        f"# {kind}",
        words_of(model),
        "## Inputs",
        _table(model, inputs, _KIND_COLUMNS),
        *_nested(model, inputs),
    ]
    sections += [
        "## Outputs",
        _table(model, outputs, _OUTPUT_COLUMNS),
        *_nested(model, outputs, _OUTPUT_COLUMNS),
    ]
    return "\n\n".join(sections) + "\n"


def _stack_page() -> str:
    fields = tuple(StackFile.model_fields)
    sections = ["# The stack file", words_of(StackFile), _STACK_NOTES, "## Fields", _table(StackFile, fields)]
    making = [
        "## Fields of every entry",
        words_of(MadeEntry),
        _table(MadeEntry, tuple(MadeEntry.model_fields)),
    ]
    return "\n\n".join([*sections, *making, *_nested(StackFile, fields)]) + "\n"


_STACK_NOTES: Final = (
    "Names have letters, digits, dots, dashes and underscores. Durations are written as `365d`, `12h` or "
    "`1h30m`. Paths that begin with `~/` are in the home folder. Anchors, aliases and merge keys work; a file "
    "holds one document."
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table of fields.

    Attributes:
        head: Its title; the last column, what the field is, has none.
        cell: Gives the text for a field, from its name, its definition and its docstring.
    """

    head: str
    cell: Callable[[str, FieldInfo, str], str]


_NAME: Final = _Column("field", lambda name, _field, _words: f"`{name}`")
_TYPE: Final = _Column("type", lambda name, field, _words: _type_words(name, field))
_DEFAULT: Final = _Column("default", lambda _name, field, _words: _default(field))
_CHANGE: Final = _Column("on change", lambda _name, field, _words: _change(field))
_WORDS: Final = _Column("", lambda _name, _field, words: words.replace("|", "\\|"))

_INPUT_COLUMNS: Final = (_NAME, _TYPE, _DEFAULT, _CHANGE, _WORDS)
_KIND_COLUMNS: Final = (
    _NAME,
    _TYPE,
    _Column("default", lambda name, field, _words: "" if name in FROM_THE_PROVIDER else _default(field)),
    _CHANGE,
    _WORDS,
)
_OUTPUT_COLUMNS: Final = (_NAME, _TYPE, _WORDS)


def _table(
    model: type[BaseModel], fields: tuple[str, ...], columns: tuple[_Column, ...] = _INPUT_COLUMNS
) -> str:
    words = field_words(model)
    rows = [[column.head for column in columns], ["---"] * len(columns)]
    for name in fields:
        field = model.model_fields[name]
        rows.append([column.cell(name, field, words.get(name, "")) for column in columns])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _nested(
    model: type[BaseModel], fields: tuple[str, ...], columns: tuple[_Column, ...] = _INPUT_COLUMNS
) -> Iterator[str]:
    """A section for every model below some fields, under the name of the field that leads to it."""
    for name in fields:
        nested = _model_of(model.model_fields[name].annotation)
        if nested is not None:
            own = tuple(nested.model_fields)
            yield from (f"### {name}", words_of(nested), _table(nested, own, columns))
            yield from _nested(nested, own, columns)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_of(argument) for argument in get_args(annotation))
    return next((model for model in found if model), None)


def _rule(field: FieldInfo) -> Rule | None:
    return next((item for item in field.metadata if isinstance(item, Rule)), None)


def _change(field: FieldInfo) -> str:
    rule = _rule(field)
    return rule.change.value if rule else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        given = value.model_dump(mode="json", exclude_none=True)
        text = ", ".join(f"{name}: {item}" for name, item in given.items())
    elif isinstance(value, tuple):
        text = ", ".join(value)
    else:
        text = "" if value is None or value == {} else json.dumps(value).strip('"')
    return f"`{text}`" if text else ""


def _type_words(name: str, field: FieldInfo) -> str:
    rule = _rule(field)
    words = _type_of(name, field.annotation, field.metadata)
    return f"{words}, secret" if rule and rule.secret else words


def _type_of(name: str, annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a type is called; a type that is a model links to its section, which has the field's name."""
    forms = [item.name for item in metadata if isinstance(item, Form)]
    if forms:
        return forms[-1]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_of(name, arguments[0], arguments[1:])
    if origin in (Union, UnionType):
        return _type_of(name, next(item for item in arguments if item is not type(None)))
    if origin is tuple:
        return f"list: {_type_of(name, arguments[0])}"
    return f"by name: {_type_of(name, arguments[1])}" if origin is dict else _plain_type(name, annotation)


def _plain_type(name: str, annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{choice.value}`" for choice in annotation)
    if _model_of(annotation):
        return f"[fields](#{name})"
    return {str: "text", bool: "`true` \\| `false`", int: "number"}.get(annotation, "any value")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
