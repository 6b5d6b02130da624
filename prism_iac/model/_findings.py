"""Turns what pydantic reports into findings that people can act on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from prism_iac.errors import Finding, InvalidInput

__all__ = ["findings_of", "nearest", "path_text"]

Location: TypeAlias = tuple[int | str, ...]


def nearest(word: str, choices: Iterable[str]) -> str:
    """A sentence that names the closest choice, or lists a few; empty when there is none."""
    names = sorted(choices)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Choose one of: {', '.join(names[:12])}." if names else ""


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
    locate: Callable[[Location], tuple[str, int, int]] = lambda _: ("", 0, 0),
) -> InvalidInput:
    """Every error of a validation as one `InvalidInput`.

    Args:
        error: What pydantic raised.
        model: The model that was validated; used to suggest field names.
        locate: Gives file, line and column of a field path, for models read from a file.
    """
    return InvalidInput(_findings(error, model, locate))


def _findings(
    error: ValidationError, model: type[BaseModel], locate: Callable[[Location], tuple[str, int, int]]
) -> Iterator[Finding]:
    for item in error.errors(include_url=False, include_input=False):
        location = item["loc"]
        file, line, column = locate(location)
        message, fix = _words(item, model)
        yield Finding(file=file, line=line, column=column, path=path_text(location), message=message, fix=fix)


def _words(item: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    name = str(item["loc"][-1]) if item["loc"] else ""
    match item["type"]:
        case "extra_forbidden":
            return f'there is no field "{name}" here', nearest(name, _sibling_fields(model, item["loc"][:-1]))
        case "missing":
            return f'the field "{name}" is missing', f"Add `{name}:`."
        case "enum" | "literal_error":
            return f"must be {item.get('ctx', {}).get('expected', 'one of the documented values')}", ""
        case "value_error":
            return str(item.get("ctx", {}).get("error", item["msg"])), ""
        case _:
            return item["msg"][:1].lower() + item["msg"][1:], ""


def _sibling_fields(model: type[BaseModel], parents: Location) -> list[str]:
    current: Any = model
    for part in parents:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:
            current = _element(current)
        current = _strip_optional(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _element(annotation: Any) -> Any:
    arguments = [item for item in get_args(annotation) if item is not Ellipsis]
    return arguments[-1] if arguments else None


def _strip_optional(annotation: Any) -> Any:
    for candidate in get_args(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate if not _is_container(annotation) else annotation
    return annotation


def _is_container(annotation: Any) -> bool:

    return get_origin(annotation) in (dict, list, tuple)
