"""Imports a library without an optional part of it that nobody here uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without"]


@contextmanager
def without(module: str) -> Iterator[None]:
    """Let imports find no such module, as where it is not installed; one that is loaded already stays.

    httpx brings the colours of its command line, structlog those of its console: each a third of its import.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # how Python's import system spells "not there"
    try:
        yield
    finally:
        if sys.modules.get(module) is None:
            sys.modules.pop(module, None)  # another thread may have been first
