"""The gRPC server of the control stream (cocos-grpc.md sections 1.2 and 5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import structlog

from prism_iac.backend.control import presence
from prism_iac.backend.control.absences import Absences
from prism_iac.backend.control.conversation import converse
from prism_iac.backend.control.messages import parse_client_message
from prism_iac.backend.control.services import ControlServices
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.control.visitor import Visitor, visitor_of
from prism_iac.wire import cvms_pb2

__all__ = ["ControlServer", "ServerIdentity"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
    ("grpc.keepalive_time_ms", 10_000),  # notices a peer that went without a word
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The server's certificate with its key, and the CA of the clients; PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes


class ControlServer:
    """Serves the control stream on the running event loop; the `Agents` of the REST side."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services
        self._streams: set[Stream] = set()
        self._absences = Absences(services)
        self._servers: list[grpc.aio.Server] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self, address: str, identity: ServerIdentity) -> int:
        """Listen; gives the port.

        Args:
            address: `host:port`; port 0 takes a free one.
            identity: How the server shows itself, and whom it trusts.

        Raises:
            RuntimeError: The address is taken.
        """
        self._loop = asyncio.get_running_loop()
        await self._absences.take_up()
        server = self._make_server()
        credentials = grpc.ssl_server_credentials(
            [(identity.key, identity.certificate)], identity.client_ca, require_client_auth=True
        )
        port = server.add_secure_port(address, credentials)
        await server.start()
        self._servers.append(server)
        self._watch = self._loop.create_task(self._absences.watch())
        return port

    async def start_insecure(self, address: str) -> int:
        """Listen in clear as well, for agents without certificates, who are believed; gives the port.

        Raises:
            RuntimeError: The address is taken.
        """
        server = self._make_server()
        port = server.add_insecure_port(address)
        await server.start()
        self._servers.append(server)
        _log.warning("agents without certificates are let in, in clear", address=address)
        return port

    async def stop(self) -> None:
        """End every stream and stop listening."""
        servers, self._servers = self._servers, []
        if self._watch is not None:
            self._watch.cancel()
        for server in servers:
            await server.stop(grace=0)
        self._services.threads.shutdown(wait=True)

    def is_serving(self) -> bool:
        """Whether agents can connect."""
        return bool(self._servers)

    def wake(self, cvm_id: str) -> None:
        """Look now for what the CVM's agent should be told; from any thread."""
        self._on_streams(lambda stream: stream.cvm_id == cvm_id, lambda stream: stream.woken.set())

    def drop_cvm(self, cvm_id: str) -> None:
        """End every stream of a removed CVM, whose agent is told to drop its computation first; from any thread."""
        reason = presence.inactive(cvm_id)

        def dismiss(stream: Stream) -> None:
            if not stream.takes_commands:
                stream.drop(reason)
                return
            stream.dismiss(reason)
            # One that reads nothing more is not waited for.
            asyncio.get_running_loop().call_later(self._services.times.patience, stream.drop, reason)

        self._on_streams(lambda stream: stream.cvm_id == cvm_id, dismiss)

    def drop_certificate(self, serial: str) -> None:
        """End every stream that was opened with a revoked certificate; from any thread."""
        reason = f"certificate is revoked: {serial}"
        self._on_streams(
            lambda stream: stream.serial == serial and not stream.dropped, lambda stream: stream.drop(reason)
        )

    def _on_streams(self, is_meant: Callable[[Stream], bool], act: Callable[[Stream], None]) -> None:
        def find_and_act() -> None:
            for stream in [stream for stream in self._streams if is_meant(stream)]:
                act(stream)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(find_and_act)

    def _make_server(self) -> grpc.aio.Server:
        server = grpc.aio.server(options=_OPTIONS)
        process = grpc.stream_stream_rpc_method_handler(
            self._process,
            request_deserializer=parse_client_message,
            response_serializer=cvms_pb2.ServerStreamMessage.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("cvms.Service", {"Process": process}),)
        )
        return server

    async def _process(
        self, messages: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        visitor = visitor_of(context)
        reason, cvm_id = await self._services.in_thread(self._receive, visitor)
        if reason:
            _log.info("stream refused", serial=visitor.serial, reason=reason)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, reason)
        stream = Stream(
            cvm_id=cvm_id,
            serial=visitor.serial,
            takes_commands=visitor.takes_commands,
            is_private=visitor.is_certified,
        )
        log = _log.bind(cvm=cvm_id, serial=visitor.serial, takes_commands=visitor.takes_commands)
        log.info("stream opened")
        self._streams.add(stream)
        if stream.takes_commands:
            self._absences.end(cvm_id)
        # A removal may have come between the look-up and this line, and found no stream to drop.
        if reason := await self._services.in_thread(self._why_refused, visitor):
            stream.drop(reason)
        try:
            await converse(self._services, stream, messages, context)
        finally:
            self._streams.discard(stream)
            if stream.takes_commands and not self._is_connected(cvm_id):
                self._absences.begin(cvm_id)
            log.info("stream ended", dropped=stream.dropped)
        if stream.dropped:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, stream.dropped)

    def _receive(self, visitor: Visitor) -> tuple[str, str]:
        """Why a visitor is refused, or else its CVM, which is connected from now on."""
        with self._services.database.writing() as session:
            reason = presence.why_refused(session, visitor)
            if reason:
                return reason, ""
            cvm_id = presence.cvm_of(session, visitor)
            if visitor.takes_commands:
                now = self._services.clock()
                presence.connect(session, cvm_id, visitor, now=now)
            return "", cvm_id

    def _why_refused(self, visitor: Visitor) -> str:
        with self._services.database.reading() as session:
            return presence.why_refused(session, visitor)

    def _is_connected(self, cvm_id: str) -> bool:
        return any(stream.cvm_id == cvm_id and stream.takes_commands for stream in self._streams)
