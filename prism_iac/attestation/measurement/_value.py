"""Frozen values without the import time of `dataclasses` and `typing`, which is longer than a measurement takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """What type checkers read, and nothing else does."""
        return lambda cls: cls


__all__ = ["Value"]


@dataclass_transform(frozen_default=True)
class Value:
    """A value with the fields that its class annotates, in their order; compared by content.

    A field has a default when its class assigns one.
    """

    def __init__(self, *values: Any, **named: Any) -> None:
        names = tuple(type(self).__annotations__)
        given = {**dict(zip(names, values, strict=False)), **named}
        if len(given) != len(values) + len(named) or given.keys() - set(names):
            raise TypeError(f"{type(self).__name__} has other fields than these: {', '.join(names)}")
        for name in names:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} lacks its field {name}")
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be removed")

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        fields = zip(type(self).__annotations__, self._fields(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).__annotations__)
