"""What the models say of themselves: the docstrings of classes and of fields, without their sources.

The docstring of a field is the text below it. It is read from the source when it is wanted, so that
importing a model costs nothing for it.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, get_args

from pydantic import BaseModel

__all__ = ["field_words", "first_sentence", "models_in", "words_of"]

_CITATION: Final = re.compile(r"\s*\((?=[^)]*(?:\.md|\bsections? \d|\bD\d))[^)]*\)")


def words_of(subject: type[BaseModel | Enum]) -> str:
    """What a class says of itself, one line for each paragraph."""
    paragraphs = inspect.cleandoc(subject.__doc__ or "").split("\n\n")
    return "\n\n".join(_one_line(paragraph) for paragraph in paragraphs)


def first_sentence(text: str) -> str:
    """The first sentence, with its full stop."""
    return text.split("\n", 1)[0].split(". ", 1)[0].rstrip(".") + "."


def field_words(model: type[BaseModel]) -> Mapping[str, str]:
    """The docstring of every field, inherited ones too, on one line each."""
    words: dict[str, str] = {}
    for ancestor in reversed(model.__mro__):
        if issubclass(ancestor, BaseModel) and ancestor is not BaseModel:
            words |= dict(_documented(ancestor))
    return {name: words[name] for name in model.model_fields if name in words}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation mentions, however deep, each as often as it is mentioned."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)


def _documented(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    (definition,) = tree.body
    assert isinstance(definition, ast.ClassDef)
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                yield name, _one_line(text)


def _one_line(text: str) -> str:
    return _CITATION.sub("", " ".join(text.split()))
