"""The control stream: the agent's one connection to Prism, dialled again for ever.

Source: cocos-grpc.md sections 1.2, 5.2, 5.3 and 11.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Final, TypeAlias

import grpc
import structlog

from prism_iac.agent.server._backoff import Backoff
from prism_iac.agent.server._outbox import Outbox
from prism_iac.errors import InvalidInput
from prism_iac.wire.cvms_pb2 import ClientStreamMessage, ServerStreamMessage
from prism_iac.wire.cvms_pb2_grpc import ServiceStub

__all__ = ["ControlStream"]

_INACTIVE: Final = "cvm is inactive"
"""How the refusal begins that tells a VM that it was removed."""

_STREAM_ERRORS: Final = (grpc.aio.AioRpcError, asyncio.InvalidStateError)
"""What reading from and writing to an ended stream raise."""

_REFUSED_WITHIN_SECONDS: Final = 0.5
"""How long a stream is watched for a refusal before more than the greeting is written."""

_Stream: TypeAlias = "grpc.aio.StreamStreamCall[ClientStreamMessage, ServerStreamMessage]"

_log = structlog.get_logger(__name__)


class _Ending(Enum):
    BROKEN = auto()
    ASKED_FOR = auto()
    REMOVED = auto()


class ControlStream:
    """Writes the outbox to Prism and gives what Prism says to `handle`, one message after the other.

    Args:
        dial: Opens a channel; called for each attempt.
        metadata: What the agent says about itself with each stream.
        greeting: The first message of each stream.
        handle: Acts on a message; it raises nothing of its own accord.
    """

    def __init__(
        self,
        *,
        dial: Callable[[], grpc.aio.Channel],
        metadata: Sequence[tuple[str, str]],
        greeting: ClientStreamMessage,
        outbox: Outbox,
        handle: Callable[[ServerStreamMessage], Awaitable[None]],
        backoff: Backoff,
    ) -> None:
        self._dial = dial
        self._metadata = grpc.aio.Metadata(*metadata)
        self._greeting = greeting
        self._outbox = outbox
        self._handle = handle
        self._backoff = backoff

    async def run(self) -> None:
        """Converse until the VM is removed; everything else that ends a stream leads to another one."""
        while True:
            ending = _Ending.BROKEN
            try:
                ending = await self._converse()
            except InvalidInput as error:
                _log.error("the control stream cannot be opened", reason=str(error))
            if ending is _Ending.REMOVED:
                return
            is_asked_for = ending is _Ending.ASKED_FOR
            await asyncio.sleep(self._backoff.longest_seconds if is_asked_for else self._backoff.next_delay())

    async def _converse(self) -> _Ending:
        """One stream, to its end.

        Raises:
            InvalidInput: A certificate file cannot be read.
        """
        async with self._dial() as channel:
            stream = ServiceStub(channel).Process(metadata=self._metadata)
            is_asked_for = False
            try:
                is_asked_for = await self._exchange(stream)
                if is_asked_for and not await _is_over(stream):
                    return _Ending.ASKED_FOR
            except _STREAM_ERRORS:
                pass  # the status says why
            code, reason = await stream.code(), await stream.details() or ""
        if code is grpc.StatusCode.PERMISSION_DENIED and reason.startswith(_INACTIVE):
            _log.info("the VM was removed")
            return _Ending.REMOVED
        if is_asked_for:
            return _Ending.ASKED_FOR
        _log.info("the control stream ended", code=code.name, reason=reason)
        return _Ending.BROKEN

    async def _exchange(self, stream: _Stream) -> bool:
        await stream.write(self._greeting)
        await _wait_for_a_refusal(stream)
        self._outbox.begin_stream()
        self._tell_of_dropped_logs()
        writer = asyncio.create_task(self._write(stream))
        try:
            return await self._read(stream)
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _read(self, stream: _Stream) -> bool:
        """Act on messages until there are no more, or, with true, until Prism asks for the disconnection."""
        while (message := await stream.read()) is not grpc.aio.EOF:
            assert isinstance(message, ServerStreamMessage)
            self._backoff.reset()
            self._outbox.peer_spoke()
            if message.HasField("disconnectReq"):
                _log.info("asked to disconnect")
                return True
            await self._act(message)
        return False

    async def _act(self, message: ServerStreamMessage) -> None:
        try:
            await self._handle(message)
        except Exception:  # noqa: BLE001  # the edge of the process: a defect must not take the VM away
            _log.exception("a message could not be handled", kind=message.WhichOneof("message"))

    async def _write(self, stream: _Stream) -> None:
        while True:
            entry = await self._outbox.next()
            try:
                await stream.write(entry.message)
            except _STREAM_ERRORS:
                return  # the reader meets the end as well
            self._outbox.written(entry)

    def _tell_of_dropped_logs(self) -> None:
        if self._outbox.dropped_logs:
            _log.warning("log lines were dropped while Prism was away", lines=self._outbox.dropped_logs)
            self._outbox.dropped_logs = 0


async def _is_over(stream: _Stream) -> bool:
    """Whether Prism ends a stream on which it asked for the disconnection; its status may say more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_REFUSED_WITHIN_SECONDS):
            return await stream.read() is grpc.aio.EOF
    return False


async def _wait_for_a_refusal(stream: _Stream) -> None:
    # A refusal comes at once. A write that meets one would make gRPC hide it behind an internal error of its
    # own, and a removed VM would miss that it was removed.
    with suppress(TimeoutError):
        async with asyncio.timeout(_REFUSED_WITHIN_SECONDS):
            await stream.initial_metadata()
