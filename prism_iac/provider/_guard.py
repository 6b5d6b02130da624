"""The edge of the plugin: whatever a handler raises reaches the user as one message."""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from prism_iac.errors import Defect, PartialResult, PrismError
from prism_iac.provider._call import Call, CallEnded
from prism_iac.provider._properties import PROVIDER_KEY, to_engine

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
        except PrismError as error:
            _fail(str(error))
        except BaseException as error:  # noqa: BLE001  # see the docstring
            _fail(str(Defect(f"{serve.__name__} failed: {type(error).__name__}: {error}")))

    return served


def _keep_object(error: PartialResult) -> NoReturn:
    call = Call.current()
    if call is None:
        _fail(str(error))
    inputs = call.inputs
    state = {**to_engine(error.state), PROVIDER_KEY: inputs[PROVIDER_KEY]}
    call.fail_with_object(error.id, state=state, inputs=inputs, reason=_explained(str(error)))


def _fail(message: str) -> NoReturn:
    call = Call.current()
    if call is None:
        raise RuntimeError(_explained(message)) from None
    call.fail(_explained(message))


def _explained(message: str) -> str:
    if not os.environ.get("PRISM_IAC_TRACEBACK"):
        return message
    return f"{message}\n{traceback.format_exc()}"
