"""A small Prism: the server of the control stream, with real gRPC and real mutual TLS."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc

from prism_iac.wire.cvms_pb2 import (
    AgentEvent,
    AgentLog,
    AgentStateReq,
    ClientStreamMessage,
    ComputationRunReq,
    DisconnectReq,
    RunReqChunks,
    ServerStreamMessage,
    StopComputation,
)
from prism_iac.wire.cvms_pb2_grpc import ServiceServicer, add_ServiceServicer_to_server

PATIENCE_SECONDS = 20.0

Metadata: TypeAlias = dict[str, str]


@dataclass
class Stream:
    """One stream of one agent."""

    metadata: Metadata
    outgoing: queue.Queue[ServerStreamMessage | None] = field(default_factory=queue.Queue)


class Control(ServiceServicer):
    """Keeps all that agents say and says what a test wants said."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.received: list[ClientStreamMessage] = []
        self.is_inactive = False
        self._changed = threading.Condition()

    def Process(  # noqa: N802  # named by the protocol
        self, request_iterator: Iterator[ClientStreamMessage], context: grpc.ServicerContext
    ) -> Iterator[ServerStreamMessage]:
        if self.is_inactive:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "cvm is inactive: vm-1")
        stream = Stream({key: str(value) for key, value in context.invocation_metadata()})
        with self._changed:
            self.streams.append(stream)
            self._changed.notify_all()
        context.add_callback(lambda: stream.outgoing.put(None))
        threading.Thread(target=self._read, args=(request_iterator,), daemon=True).start()
        while (message := stream.outgoing.get()) is not None:
            yield message

    def _read(self, messages: Iterator[ClientStreamMessage]) -> None:
        try:
            for message in messages:
                with self._changed:
                    self.received.append(message)
                    self._changed.notify_all()
        except grpc.RpcError:
            return

    def say(self, **message: object) -> None:
        self.streams[-1].outgoing.put(ServerStreamMessage(**message))  # type: ignore[arg-type]  # one of the oneof

    def send_manifest(self, request: ComputationRunReq, *, piece_bytes: int = 100) -> None:
        """In pieces, the last of them empty, as the reference server does."""
        data = request.SerializeToString()
        for start in range(0, len(data), piece_bytes):
            self.say(runReqChunks=RunReqChunks(data=data[start : start + piece_bytes], id="m"))
        self.say(runReqChunks=RunReqChunks(id="m", is_last=True))

    def stop(self, computation_id: str = "c-1") -> None:
        self.say(stopComputation=StopComputation(computation_id=computation_id))

    def disconnect(self) -> None:
        self.say(disconnectReq=DisconnectReq(id="d"))

    def state(self) -> str:
        """The agent's state, asked for now."""
        id_ = f"q-{time.monotonic_ns()}"
        self.say(agentStateReq=AgentStateReq(id=id_))
        answer = self.wait_for(
            lambda message: message.HasField("agentStateRes") and message.agentStateRes.id == id_
        )
        return answer.agentStateRes.state

    def wait_for(self, matches: Callable[[ClientStreamMessage], bool]) -> ClientStreamMessage:
        found: list[ClientStreamMessage] = []

        def is_there() -> bool:
            found[:] = [message for message in self.received if matches(message)]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(is_there, PATIENCE_SECONDS), f"it never came; got {self.events()}"
        return found[-1]

    def wait_for_streams(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.streams) >= count, PATIENCE_SECONDS)

    def wait_for_event(self, event_type: str, status: str) -> AgentEvent:
        return self.wait_for(
            lambda message: (
                (message.agent_event.event_type, message.agent_event.status) == (event_type, status)
            )
        ).agent_event

    def wait_for_run_response(self, computation_id: str = "c-1") -> str:
        """The error of the answer to a manifest; empty when it was accepted."""
        return self.wait_for(
            lambda message: message.HasField("run_res") and message.run_res.computation_id == computation_id
        ).run_res.error

    def wait_for_stop_response(self, computation_id: str = "c-1") -> str:
        """What the agent says went wrong with a stop; empty when nothing did."""
        return self.wait_for(
            lambda message: message.stopComputationRes.computation_id == computation_id
        ).stopComputationRes.message

    def events(self) -> list[tuple[str, str]]:
        return [
            (message.agent_event.event_type, message.agent_event.status)
            for message in self.received
            if message.HasField("agent_event")
        ]

    def logs(self) -> list[AgentLog]:
        return [message.agent_log for message in self.received if message.HasField("agent_log")]


class ControlServer:
    """Serves a `Control`; may go away and come back under the same address."""

    def __init__(
        self, control: Control, credentials: grpc.ServerCredentials | None, host: str = "127.0.0.1"
    ) -> None:
        self._control = control
        self._credentials = credentials
        self._host = host
        self._port = 0
        self._server: grpc.Server | None = None

    @property
    def url(self) -> str:
        return f"{self._host}:{self._port}"

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
        add_ServiceServicer_to_server(self._control, self._server)
        if self._credentials is None:
            self._port = self._server.add_insecure_port(self.url)
        else:
            self._port = self._server.add_secure_port(self.url, self._credentials)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()
            self._server = None
