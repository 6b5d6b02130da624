"""The edge of the native plugin: whatever a handler raises reaches the engine as one plain message."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from prism_iac.provider._message import as_ours, message_of

__all__ = ["Kept", "answered"]

F = TypeVar("F", bound=Callable[..., Any])


class Kept(Exception):
    """Ends a call whose metadata already tell the engine of an object to keep."""


def answered(serve: F) -> F:
    """End a call that fails with one message; with PRISM_IAC_TRACEBACK set, with the traceback below it."""

    @functools.wraps(serve)
    def served(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return serve(self, request, context)
        except Kept as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except BaseException as error:  # noqa: BLE001  # one that gets away would leave the engine waiting
            context.abort(grpc.StatusCode.UNKNOWN, message_of(as_ours(error, call=serve.__name__)))

    return served  # type: ignore[return-value]  # wraps keeps the signature
