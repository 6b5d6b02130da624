"""The edge of the native plugin: whatever a handler raises reaches the engine as one plain message."""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc

from prism_iac.errors import Defect, PrismError

__all__ = ["Kept", "answered", "explained"]

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
        except PrismError as error:
            _fail(context, str(error))
        except BaseException as error:  # noqa: BLE001  # any other would leave the engine waiting
            _fail(context, str(Defect(f"{serve.__name__} failed: {type(error).__name__}: {error}")))

    return served  # type: ignore[return-value]  # wraps keeps the signature


def explained(message: str) -> str:
    """A message for people, and for developers who ask for it the traceback."""
    if not os.environ.get("PRISM_IAC_TRACEBACK"):
        return message
    return f"{message}\n{traceback.format_exc()}"


def _fail(context: grpc.ServicerContext, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, explained(message))
