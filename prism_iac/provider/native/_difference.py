"""Which properties differ, down to the leaves, as the engine shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prism_iac.model import contains_unknown

__all__ = ["leaves_that_differ"]


def leaves_that_differ(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The path of each leaf that differs, and `add`, `delete` or `update`.

    A path is written as the engine writes it: `agent.logLevel`, `datasets[0]`, `warn["debug.policy"]`.
    """
    if old is None or new is None:
        if old is not new:
            yield path, "add" if old is None else "delete"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in {**old, **new}:
            yield from leaves_that_differ(old.get(name), new.get(name), _below(path, str(name)))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        for index in range(max(len(old), len(new))):
            yield from leaves_that_differ(_at(old, index), _at(new, index), f"{path}[{index}]")
    elif contains_unknown(new) or old != new:
        yield path, "update"


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _below(path: str, name: str) -> str:
    if not name.isidentifier():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{name}" if path else name
