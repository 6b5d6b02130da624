"""The control stream against a real gRPC server in the same process, with short delays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest

from prism_iac.agent.server._backoff import Backoff
from prism_iac.agent.server._control import ControlStream
from prism_iac.agent.server._outbox import Outbox
from prism_iac.errors import Finding, InvalidInput
from prism_iac.wire.cvms_pb2 import (
    AgentEvent,
    AgentStateReq,
    AttestationResponse,
    ClientStreamMessage,
    DisconnectReq,
    ServerStreamMessage,
)
from prism_iac.wire.cvms_pb2_grpc import ServiceServicer, add_ServiceServicer_to_server

GREETING = ClientStreamMessage(vTPMattestationReport=AttestationResponse(certSerialNumber="1"))
Context = grpc.aio.ServicerContext[ClientStreamMessage, ServerStreamMessage]
Script = Callable[["Prism", int], AsyncIterator[ServerStreamMessage]]


class Prism(ServiceServicer):
    """Follows a script for each stream and keeps what it hears."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.streams: list[list[ClientStreamMessage]] = []

    async def Process(  # noqa: N802  # named by the protocol
        self, request_iterator: AsyncIterator[ClientStreamMessage], context: Context
    ) -> AsyncIterator[ServerStreamMessage]:
        heard: list[ClientStreamMessage] = []
        self.streams.append(heard)
        heard.append(await anext(aiter(request_iterator)))

        async def listen() -> None:
            async for message in request_iterator:
                heard.append(message)  # noqa: PERF401  # each is wanted as soon as it is there

        listener = asyncio.create_task(listen())
        try:
            async for message in self.script(self, len(self.streams)):
                yield message
        except PermissionError as error:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        finally:
            listener.cancel()


def impatient() -> Backoff:
    return Backoff(lambda: 0.0, first_seconds=0.001, longest_seconds=0.01)


async def converse(
    prism: Prism,
    outbox: Outbox,
    handle: Callable[[ServerStreamMessage], None] = lambda _: None,
    dial: Callable[[int], grpc.aio.Channel] = lambda port: grpc.aio.insecure_channel(f"127.0.0.1:{port}"),
    backoff: Backoff | None = None,
) -> None:
    """Until the script says that the VM was removed."""
    server = grpc.aio.server()
    add_ServiceServicer_to_server(prism, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async def act(message: ServerStreamMessage) -> None:
        handle(message)

    stream = ControlStream(
        dial=lambda: dial(port),
        metadata=[("job-id", "vm")],
        greeting=GREETING,
        outbox=outbox,
        handle=act,
        backoff=backoff or impatient(),
    )
    try:
        async with asyncio.timeout(10):
            await stream.run()
    finally:
        await server.stop(0)


def removed() -> PermissionError:
    return PermissionError("cvm is inactive: vm")


def event(name: str) -> ClientStreamMessage:
    return ClientStreamMessage(agent_event=AgentEvent(event_type=name))


def test_each_stream_begins_with_the_greeting_and_what_was_not_confirmed(tmp_path: Path) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        if number >= 3:
            raise removed()
        while len(prism.streams[-1]) < 2:  # noqa: ASYNC110  # another task fills the list
            await asyncio.sleep(0.001)
        yield ServerStreamMessage(agentStateReq=AgentStateReq(id=str(number)))

    prism = Prism(script)
    outbox = Outbox(tmp_path, now=lambda: 0.0)
    outbox.put(event("1"))
    asyncio.run(converse(prism, outbox))
    assert prism.streams[0] == [GREETING, event("1")]
    assert prism.streams[1] == [GREETING, event("1")]
    assert prism.streams[2] == [GREETING]


@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["ended by Prism", "left open"])
def test_a_disconnection_on_request_is_followed_by_another_stream(tmp_path: Path, seconds: float) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism
        if number >= 2:
            raise removed()
        yield ServerStreamMessage(disconnectReq=DisconnectReq(id="d"))
        await asyncio.sleep(seconds)

    prism = Prism(script)
    asyncio.run(converse(prism, Outbox(tmp_path, now=lambda: 0.0)))
    assert len(prism.streams) >= 2


def test_a_disconnection_of_a_removed_vm_is_the_end(tmp_path: Path) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism, number
        yield ServerStreamMessage(disconnectReq=DisconnectReq(id="d"))
        raise removed()

    prism = Prism(script)
    asyncio.run(converse(prism, Outbox(tmp_path, now=lambda: 0.0)))
    assert len(prism.streams) == 1


def test_a_refusal_of_another_kind_is_not_the_end(tmp_path: Path) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism
        if number == 1:
            raise PermissionError("the certificate is revoked")
        if number > 1:
            raise removed()
        yield ServerStreamMessage()

    prism = Prism(script)
    asyncio.run(converse(prism, Outbox(tmp_path, now=lambda: 0.0)))
    assert len(prism.streams) >= 2


def test_the_delay_is_short_again_after_prism_has_spoken(tmp_path: Path) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism
        if number < 5:
            raise PermissionError("not yet")
        if number > 5:
            raise removed()
        yield ServerStreamMessage()

    backoff = impatient()
    asyncio.run(converse(Prism(script), Outbox(tmp_path, now=lambda: 0.0), backoff=backoff))
    assert backoff.next_delay() < 0.005


def test_a_removed_vm_learns_it_although_it_has_much_to_say(tmp_path: Path) -> None:
    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism
        if number:
            raise removed()
        yield ServerStreamMessage()

    streams = 0
    for vm in range(10):
        prism = Prism(script)
        outbox = Outbox(tmp_path / str(vm), now=lambda: 0.0)
        for index in range(20):
            outbox.put(event(str(index)))
        asyncio.run(converse(prism, outbox))
        streams += len(prism.streams)
    assert streams <= 15


def test_a_message_that_meets_a_defect_does_not_end_the_stream(tmp_path: Path) -> None:
    handled: list[str] = []

    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism, number
        yield ServerStreamMessage(agentStateReq=AgentStateReq(id="bad"))
        yield ServerStreamMessage(agentStateReq=AgentStateReq(id="good"))
        raise removed()

    def handle(message: ServerStreamMessage) -> None:
        if message.agentStateReq.id == "bad":
            raise ZeroDivisionError
        handled.append(message.agentStateReq.id)

    prism = Prism(script)
    asyncio.run(converse(prism, Outbox(tmp_path, now=lambda: 0.0), handle))
    assert handled == ["good"]
    assert len(prism.streams) == 1


def test_certificate_files_that_cannot_be_read_are_tried_again(tmp_path: Path) -> None:
    attempts: list[int] = []

    def dial(port: int) -> grpc.aio.Channel:
        attempts.append(port)
        if len(attempts) < 3:
            raise InvalidInput([Finding(message="cannot be read")])
        return grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def script(prism: Prism, number: int) -> AsyncIterator[ServerStreamMessage]:
        del prism
        if number:
            raise removed()
        yield ServerStreamMessage()

    asyncio.run(converse(Prism(script), Outbox(tmp_path, now=lambda: 0.0), dial=dial))
    assert len(attempts) == 3


def test_nobody_there_is_no_reason_to_give_up(tmp_path: Path) -> None:
    async def wait_a_while() -> None:
        stream = ControlStream(
            dial=lambda: grpc.aio.insecure_channel("127.0.0.1:1"),
            metadata=[],
            greeting=GREETING,
            outbox=Outbox(tmp_path, now=lambda: 0.0),
            handle=lambda _: pytest.fail("nobody speaks"),
            backoff=impatient(),
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await stream.run()

    asyncio.run(wait_a_while())
