"""Hands unary calls of any gRPC service on to its server, so that those of a manager can be cut off, too."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from prism_iac.testing.faults._tape import CutOff

if TYPE_CHECKING:
    import grpc

__all__ = ["Relay"]

_WORKERS: Final = 8


class Relay:
    """Listens in clear on a free port of the loopback interface; a context manager.

    Args:
        server: Where the calls go, `host:port`, in clear.
        passing: Surrounds what the server does with a call, which it is told of as `CALL /service/method`.

    Attributes:
        address: Where the relay listens, `host:port`.
    """

    def __init__(self, server: str, *, passing: Callable[[str], AbstractContextManager[None]]) -> None:
        import grpc

        self._channel = grpc.insecure_channel(server)
        self._server = grpc.server(ThreadPoolExecutor(_WORKERS), handlers=[_handler(self._channel, passing)])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()
        self._channel.close()


def _handler(
    channel: grpc.Channel, passing: Callable[[str], AbstractContextManager[None]]
) -> grpc.GenericRpcHandler:
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
            method = details.method
            # Without serializers a message is its bytes.
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

            def serve(request: bytes, context: grpc.ServicerContext) -> bytes:
                try:
                    with passing(f"CALL {method}"):
                        return ask(request)
                except CutOff:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "nobody answers")
                except grpc.RpcError as refusal:
                    context.abort(refusal.code(), refusal.details() or "")

            return grpc.unary_unary_rpc_method_handler(serve)

    return Handler()
