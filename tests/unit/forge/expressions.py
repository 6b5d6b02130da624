"""The expressions of GitHub workflows, as far as ours use them.

Source: GitHub Actions, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

EXPRESSION: Final = re.compile(r"\$\{\{(?P<of>.*?)\}\}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|&&|\|\||[()]))"
)


def filled(value: Any, contexts: Mapping[str, Any]) -> Any:
    """A value of a workflow with its expressions evaluated; one that is nothing else keeps its type."""
    if isinstance(value, dict):
        return {name: filled(item, contexts) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, contexts) for item in value]
    if not isinstance(value, str):
        return value
    if whole := EXPRESSION.fullmatch(value):
        return evaluate(whole["of"], contexts)
    return EXPRESSION.sub(lambda found: str(evaluate(found["of"], contexts)), value)


def evaluate(text: str, contexts: Mapping[str, Any]) -> Any:
    """What an expression comes to; what is not there is an empty text."""
    tokens, end = [], 0
    for found in _TOKEN.finditer(text.strip()):
        assert found.start() == end, f"not understood: {text}"
        end = found.end()
        tokens.append(found[0].strip())
    assert end == len(text.strip()), f"not understood: {text}"
    value, rest = _any(tokens, contexts)
    assert rest == [], f"not understood: {text}"
    return value


def _any(tokens: list[str], contexts: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _all(tokens, contexts)
    while tokens[:1] == ["||"]:
        other, tokens = _all(tokens[1:], contexts)
        value = value or other
    return value, tokens


def _all(tokens: list[str], contexts: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _compared(tokens, contexts)
    while tokens[:1] == ["&&"]:
        other, tokens = _compared(tokens[1:], contexts)
        value = value and other
    return value, tokens


def _compared(tokens: list[str], contexts: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _one(tokens, contexts)
    if tokens[:1] in (["=="], ["!="]):
        other, rest = _one(tokens[1:], contexts)
        return (value == other) is (tokens[0] == "=="), rest
    return value, tokens


def _one(tokens: list[str], contexts: Mapping[str, Any]) -> tuple[Any, list[str]]:
    first, *rest = tokens
    if first == "(" or (first == "fromJSON" and rest[:1] == ["("]):
        value, rest = _any(rest if first == "(" else rest[1:], contexts)
        assert rest[:1] == [")"]
        return (value if first == "(" else json.loads(value)), rest[1:]
    if first.startswith("'"):
        return first[1:-1], rest
    value = contexts
    for name in first.split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return value, rest
