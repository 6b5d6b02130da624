"""The edge of the plugin: whatever a handler raises reaches the user as one message."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from prism_iac._engine import PROVIDER_KEY
from prism_iac.errors import PartialResult
from prism_iac.provider._call import Call, CallEnded
from prism_iac.provider._message import as_ours, message_of
from prism_iac.provider._properties import to_engine

__all__ = ["guarded"]

P = ParamSpec("P")
T = TypeVar("T")


def guarded(serve: Callable[P, T]) -> Callable[P, T]:
    """Turn every exception of a call into one plain message.

    An exception that is not an `Exception` would leave the engine waiting for ever. With
    PRISM_IAC_TRACEBACK set the message ends with the traceback.
    """

    @functools.wraps(serve)
    def served(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return serve(*args, **kwargs)
        except CallEnded:
            raise
        except PartialResult as error:
            _keep_object(error)
        except BaseException as error:  # noqa: BLE001  # see the docstring
            _fail(message_of(as_ours(error, call=serve.__name__)))

    return served


def _keep_object(error: PartialResult) -> NoReturn:
    call = Call.current()
    if call is None:
        _fail(message_of(error))
    inputs = call.inputs
    state = {**to_engine(error.state), PROVIDER_KEY: inputs[PROVIDER_KEY]}
    call.fail_with_object(error.id, state=state, inputs=inputs, reason=message_of(error))


def _fail(message: str) -> NoReturn:
    call = Call.current()
    if call is None:
        raise RuntimeError(message) from None
    call.fail(message)
