"""A gate before the embedded backend, at which a test stops calls of the provider."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from prism_iac.testing.faults import FaultProxy

__all__ = ["Gate"]


class Gate:
    """Stands where the backend says that it is found, and hands every call on to it.

    A context manager. Calls of one kind can be held: on their way there, so that nothing has happened yet,
    or on their way back, so that the work is done and the caller does not know.

    Attributes:
        held: The calls that wait, `METHOD path`.
        calls: Every call that came, `METHOD path`.
    """

    def __init__(self, data: Path) -> None:
        self._stack = ExitStack()
        self._data = data
        self._pattern: re.Pattern[str] | None = None
        self._open = threading.Event()
        self._holds_replies = False
        self.held: list[str] = []
        self.calls: list[str] = []

    def __enter__(self) -> Self:
        proxy = self._stack.enter_context(FaultProxy.before_embedded(self._data))
        self._stack.callback(self.release)
        self.calls = proxy.calls
        proxy.passing = self._passing
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def hold_calls(self, pattern: str) -> None:
        """Hold the calls whose `METHOD path` matches, before the backend hears of them."""
        self._hold(pattern, replies=False)

    def hold_replies(self, pattern: str) -> None:
        """Let the backend do its work and hold its replies to the calls whose `METHOD path` matches."""
        self._hold(pattern, replies=True)

    def release(self) -> None:
        """Let everything go that is held, and all that comes."""
        self._pattern = None
        self._open.set()

    def _hold(self, pattern: str, *, replies: bool) -> None:
        self.held = []
        self._holds_replies = replies
        self._open = threading.Event()
        self._pattern = re.compile(pattern)

    @contextmanager
    def _passing(self, call: str) -> Iterator[None]:
        self._meet(call, is_reply=False)
        yield
        self._meet(call, is_reply=True)

    def _meet(self, call: str, *, is_reply: bool) -> None:
        pattern, opened = self._pattern, self._open
        if pattern is not None and self._holds_replies is is_reply and pattern.search(call):
            self.held.append(call)
            opened.wait()
