"""The gRPC server of the control stream (cocos-grpc.md sections 1.2 and 5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import structlog

from prism_iac.backend.control import presence
from prism_iac.backend.control.absences import Absences
from prism_iac.backend.control.conversation import converse
from prism_iac.backend.control.hearing import hear_replicas
from prism_iac.backend.control.messages import parse_client_message
from prism_iac.backend.control.services import ControlServices
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.control.visitor import Visitor, visitor_of
from prism_iac.backend.store.notices import Notice, Subject
from prism_iac.wire import cvms_pb2

__all__ = ["ControlServer", "ServerIdentity"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
    ("grpc.keepalive_time_ms", 10_000),  # notices a peer that went without a word
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_concurrent_streams", 16),  # of one connection
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.server_handshake_timeout_ms", 20_000),
)
_MOST_STREAMS_OF_A_CVM: Final = 8
"""An agent has one, its log forwarder another, and some may not have been noticed to be dead."""


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
        self._streams: dict[Stream, Visitor] = {}
        self._absences = Absences(services, self._connected)
        self._servers: list[grpc.aio.Server] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beside: set[asyncio.Task[None]] = set()

    async def start(self, address: str, identity: ServerIdentity) -> int:
        """Listen; gives the port.

        Args:
            address: `host:port`; port 0 takes a free one.
            identity: How the server shows itself, and whom it trusts.

        Raises:
            RuntimeError: The address is taken.
        """
        self._loop = asyncio.get_running_loop()
        await self._services.in_thread(self._take_up)
        server = self._make_server()
        credentials = grpc.ssl_server_credentials(
            [(identity.key, identity.certificate)], identity.client_ca, require_client_auth=True
        )
        port = server.add_secure_port(address, credentials)
        await server.start()
        self._servers.append(server)
        self._do_beside(self._absences.watch())
        if not self._services.database.is_sqlite:
            self._do_beside(hear_replicas(self._services.database, self.heed))
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
        beside = [*self._beside]
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        for server in servers:
            await server.stop(grace=0)
        self._services.threads.shutdown(wait=True)

    def is_serving(self) -> bool:
        """Whether agents can connect."""
        return bool(self._servers)

    def heed(self, notice: Notice) -> None:
        """Do for the agents that are connected here what follows from a change; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heed, notice)

    def _heed(self, notice: Notice) -> None:
        for stream in [*self._streams]:
            match notice.subject:
                case Subject.CVM_HAS_NEWS if stream.cvm_id == notice.id:
                    stream.woken.set()
                case Subject.CVM_REMOVED if stream.cvm_id == notice.id:
                    self._dismiss(stream)
                case Subject.CERTIFICATE_REVOKED if stream.serial == notice.id and not stream.dropped:
                    stream.drop(f"certificate is revoked: {notice.id}")
        if notice.subject is Subject.ANYTHING:
            self._do_beside(self._look_at_everything())

    async def _look_at_everything(self) -> None:
        for stream, visitor in [*self._streams.items()]:
            reason = await self._services.in_thread(self._why_refused, visitor)
            if reason == presence.inactive(stream.cvm_id):
                self._dismiss(stream)
            elif reason:
                stream.drop(reason)
            stream.woken.set()

    def _dismiss(self, stream: Stream) -> None:
        """End a stream whose CVM was removed, once its agent is told to drop its computation."""
        reason = presence.inactive(stream.cvm_id)
        if not stream.takes_commands:
            stream.drop(reason)
            return
        stream.dismiss(reason)
        # One that reads nothing more is not waited for.
        asyncio.get_running_loop().call_later(self._services.times.patience, stream.drop, reason)

    def _do_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

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
        if sum(stream.cvm_id == cvm_id for stream in self._streams) >= _MOST_STREAMS_OF_A_CVM:
            _log.warning("stream refused", cvm=cvm_id, reason="too many streams")
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"cvm {cvm_id} has {_MOST_STREAMS_OF_A_CVM} streams"
            )
        stream = Stream(
            cvm_id=cvm_id,
            serial=visitor.serial,
            takes_commands=visitor.takes_commands,
            is_private=visitor.is_certified,
        )
        log = _log.bind(cvm=cvm_id, serial=visitor.serial, takes_commands=visitor.takes_commands)
        log.info("stream opened")
        self._streams[stream] = visitor
        # A removal may have come between the look-up and this line, and found no stream to drop.
        if reason := await self._services.in_thread(self._why_refused, visitor):
            stream.drop(reason)
        try:
            await converse(self._services, stream, messages, context)
        finally:
            del self._streams[stream]
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

    def _connected(self) -> frozenset[str]:
        """The CVMs whose agents are connected here."""
        return frozenset(stream.cvm_id for stream in self._streams if stream.takes_commands)

    def _take_up(self) -> None:
        """Go on where an earlier process stopped."""
        with self._services.database.writing() as session:
            presence.fail_runs_of_removed_cvms(session, now=self._services.clock())
