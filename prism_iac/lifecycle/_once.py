"""A mapping whose values are made on first use, once, whatever the number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Once"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """Makes each value once; a maker that raises is asked again by the next caller."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._values: dict[K, V] = {}
        self._locks: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()

    def __getitem__(self, key: K) -> V:
        if key in self._values:
            return self._values[key]
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = self._make(key)
            return self._values[key]

    def forget(self, key: K) -> None:
        """Make the value again on next use."""
        self._values.pop(key, None)

    def values(self) -> tuple[V, ...]:
        """The values made so far."""
        return tuple(self._values.values())
