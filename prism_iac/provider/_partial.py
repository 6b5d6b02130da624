"""How an answer tells the engine to keep an object whose create or update failed after it was made.

The engine finds an `ErrorResourceInitFailed` in the details of the status, records id and properties, and
shows the reason; the next update goes on from there.
"""

from __future__ import annotations

from typing import Any

__all__ = ["init_failed"]


def init_failed(
    object_id: str, *, properties: Any, inputs: Any, reason: str
) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata of such an answer, which ends with the code UNKNOWN.

    Args:
        object_id: The id of what was made.
        properties: The state, a protobuf `Struct`.
        inputs: The inputs, a protobuf `Struct`.
        reason: Why it is not ready.
    """
    import grpc
    from google.rpc import status_pb2  # type: ignore[import-untyped]  # the package ships no types
    from pulumi.runtime.proto import provider_pb2

    detail = provider_pb2.ErrorResourceInitFailed(
        id=object_id, properties=properties, inputs=inputs, reasons=[reason]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    status.details.add().Pack(detail)
    return (("grpc-status-details-bin", status.SerializeToString()),)
