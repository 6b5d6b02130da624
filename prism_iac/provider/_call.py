"""What the dynamic servicer knows of a call and does not tell its handlers.

The servicer keeps the engine's request and the gRPC context in its own frame. From there come the URN, a
failure of one plain message instead of a traceback, and the answer that keeps the id of what was made
before a create failed (`ErrorResourceInitFailed`). Where a servicer of another shape is met, `current`
gives None and handlers fall back to plain exceptions; the identity of an object then lets the next
update find it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, NoReturn

from prism_iac.provider._partial import init_failed

__all__ = ["Call", "CallEnded", "widen_worker_pool"]

_METHODS: Final = frozenset({"Check", "Diff", "Create", "Read", "Update", "Delete"})


class CallEnded(Exception):
    """Leaves a handler whose answer is already set."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the engine that a handler is serving on this thread."""

    request: Any
    context: Any

    @classmethod
    def current(cls) -> Call | None:
        """The call that this thread serves; None when the servicer has another shape."""
        for frame in _frames():
            names = frame.f_locals
            if frame.f_code.co_name in _METHODS and "request" in names and "context" in names:
                call = cls(names["request"], names["context"])
                return call if hasattr(call.request, "urn") and hasattr(call.context, "abort") else None
        return None

    @property
    def name(self) -> str:
        """The logical name of the resource."""
        return str(self.request.urn).rpartition("::")[2]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs of a create or an update."""
        from pulumi.runtime import rpc

        sent = self.request.news if hasattr(self.request, "news") else self.request.properties
        inputs: Mapping[str, Any] = rpc.deserialize_properties(sent)
        return inputs

    @property
    def old_inputs(self) -> Mapping[str, Any]:
        """The inputs in state, of a diff or a read; empty where the engine does not send them."""
        from pulumi.runtime import rpc

        sent = self.request.old_inputs if hasattr(self.request, "old_inputs") else self.request.inputs
        inputs: Mapping[str, Any] = rpc.deserialize_properties(sent, keep_unknowns=True)
        return inputs

    def fail(self, message: str) -> NoReturn:
        """End the call with one message and nothing else."""
        abort, code = self.context.abort, _unknown()
        # The servicer aborts every exception with its traceback as the message; this call keeps ours.
        self.context.abort = lambda *_: abort(code, message)
        raise CallEnded(message)

    def fail_with_object(
        self, object_id: str, *, state: Mapping[str, Any], inputs: Mapping[str, Any], reason: str
    ) -> NoReturn:
        """End a create or update whose object exists: the engine records it and why it is not ready."""
        self.context.set_trailing_metadata(
            init_failed(object_id, properties=_struct(state), inputs=_struct(inputs), reason=reason)
        )
        self.fail(reason)


def widen_worker_pool(workers: int) -> bool:
    """Let the servicer serve more calls at once than its four; False where its pool is not to be found.

    The engine's own `--parallel` still decides how many calls there are.
    """
    for frame in _frames():
        reference = frame.f_locals.get("executor_reference")
        executor = reference() if callable(reference) else None
        if isinstance(executor, ThreadPoolExecutor) and hasattr(executor, "_max_workers"):
            executor._max_workers = max(executor._max_workers, workers)  # noqa: SLF001  # the only way to it
            return True
    return False


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # the stack has no public way up that is this cheap
    while frame is not None:
        yield frame
        frame = frame.f_back


def _unknown() -> Any:
    import grpc

    return grpc.StatusCode.UNKNOWN


def _struct(properties: Mapping[str, Any]) -> Any:
    from pulumi.runtime import rpc

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(dict(properties), {}))
    finally:
        loop.close()
