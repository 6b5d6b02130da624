"""One stream from its opening to its end: what comes is written down, what is due is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import structlog

from prism_iac.backend.control.decision import Command
from prism_iac.backend.control.dispatch import Order, next_order
from prism_iac.backend.control.presence import inactive
from prism_iac.backend.control.recording import record
from prism_iac.backend.control.services import ControlServices
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.store import DatabaseAway

__all__ = ["converse"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.control")

_INBOX: Final = 1000
_MOST_AT_ONCE: Final = 200


async def converse(
    services: ControlServices,
    stream: Stream,
    messages: AsyncIterator[Any],
    context: grpc.aio.ServicerContext[Any, Any],
) -> None:
    """Serve a stream until its agent ends it or the server drops it."""
    tasks = [
        asyncio.create_task(_receive(services, stream, messages)),
        asyncio.create_task(stream.ended.wait()),
    ]
    if stream.takes_commands:
        tasks.append(asyncio.create_task(_command(services, stream, context)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(services: ControlServices, stream: Stream, messages: AsyncIterator[Any]) -> None:
    """Write down what comes, many messages in one transaction when they come fast."""
    inbox: asyncio.Queue[Any] = asyncio.Queue(_INBOX)

    async def fill() -> None:
        async for message in messages:
            stream.came += 1
            await inbox.put(message)
        await inbox.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while batch := await _next_batch(inbox):
            state = stream.state
            await services.in_thread(_record_all, services, stream, batch)
            stream.note_recorded(len(batch))
            # The same state once more asks for no command: answering it with a question would never end.
            if stream.state is not state or any(_may_ask_for_a_command(message) for message in batch):
                stream.woken.set()


async def _next_batch(inbox: asyncio.Queue[Any]) -> list[Any]:
    """The messages that have come, at least one; none after the last, which is None."""
    batch = []
    message = await inbox.get()
    while message is not None:
        batch.append(message)
        if inbox.empty() or len(batch) >= _MOST_AT_ONCE:
            return batch
        message = inbox.get_nowait()
    if batch:
        inbox.put_nowait(None)  # the end is told by the next look
    return batch


def _may_ask_for_a_command(message: Any) -> bool:
    return message.WhichOneof("message") not in ("agentStateRes", "agent_log")


def _record_all(services: ControlServices, stream: Stream, batch: list[Any]) -> None:
    """Write messages down, and once more where the database gave another transaction precedence."""
    for is_last_try in (False, False, True):
        try:
            with services.database.writing() as session:
                record(session, stream, batch, now=services.clock())
        except DatabaseAway:
            if is_last_try:
                raise
        else:
            return


async def _command(
    services: ControlServices, stream: Stream, context: grpc.aio.ServicerContext[Any, Any]
) -> None:
    """Tell the agent what to do, each time something has changed or a while has passed."""
    time = asyncio.get_running_loop().time
    while True:
        stream.woken.clear()
        order = await services.in_thread(_next_order, services, stream, time())
        # An agent takes a word of ours for a receipt of what it said a while ago, and forgets that.
        await stream.until_recorded()
        for message in order.messages:
            await context.write(message)
        if order.command is Command.SEND_MANIFEST:
            stream.manifest_sent_at = time()
        elif order.command is Command.SEND_STOP:
            stream.stop_sent_at = time()
        if order.command not in (Command.NOTHING, Command.ASK_STATE):
            _log.info("told agent", cvm=stream.cvm_id, command=order.command.name.lower())
        if order.command is Command.DISCONNECT:
            stream.drop(inactive(stream.cvm_id))
            return
        await _wait(stream.woken, _pause(services, stream, order))


def _next_order(services: ControlServices, stream: Stream, at: float) -> Order:
    return next_order(
        services.database, stream, now=services.clock(), at=at, patience=services.times.patience
    )


def _pause(services: ControlServices, stream: Stream, order: Order) -> float | None:
    """How long to wait for something to happen, in seconds; None for as long as it takes."""
    if order.command is Command.NOTHING:
        return None
    # A stream that has never answered may be one that nobody listens on: no hurry there.
    is_calm = order.is_settled or stream.state is None
    return services.times.poll if is_calm else services.times.quick_poll


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
