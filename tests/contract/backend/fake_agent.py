"""A small agent that speaks the real protocol over real TLS, and does what a test tells it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from prism_iac.wire import cvms_pb2

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Identity:
    """PEM: the CA of the server, and the certificate with its key."""

    ca: bytes
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)


class FakeAgent:
    """One stream. By itself it answers questions for its state, takes manifests, and obeys stops.

    Attributes:
        state: What it answers.
        accepts: Whether it says that it took a manifest; one that does not, ignores manifests.
        manifests: What it got, whole.
        stops: The ids that it was told to stop.
        disconnections: The ids that it was asked to disconnect with.
        asked: How often its state was asked for.
        ended: How the stream ended: status code and details.
    """

    def __init__(
        self,
        address: str,
        identity: Identity | None,
        *,
        metadata: tuple[tuple[str, str], ...] = (),
        state: str = "ReceivingManifest",
        accepts: bool = True,
        error: str = "",
        report: bytes = b"",
        silent: bool = False,
    ) -> None:
        self.state = state
        self.accepts = accepts
        self.error = error
        self.silent = silent
        self.manifests: list[cvms_pb2.ComputationRunReq] = []
        self.stops: list[str] = []
        self.disconnections: list[str] = []
        self.asked = 0
        self.ended: tuple[grpc.StatusCode, str] | None = None
        self._pieces: dict[str, bytes] = {}
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._channel = (
            grpc.secure_channel(address, _credentials(identity))
            if identity is not None
            else grpc.insecure_channel(address)
        )
        process = self._channel.stream_stream(
            "/cvms.Service/Process",
            request_serializer=bytes,
            response_deserializer=cvms_pb2.ServerStreamMessage.FromString,
        )
        self._call = process(self._sent(), metadata=metadata)
        self.send(vTPMattestationReport=cvms_pb2.AttestationResponse(file=report))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, **message: Any) -> None:
        self._outgoing.put(cvms_pb2.ClientStreamMessage(**message).SerializeToString())

    def event(
        self, event_type: str, status: str, *, computation: str, details: bytes = b"", at: float | None = None
    ) -> None:
        event = cvms_pb2.AgentEvent(
            event_type=event_type,
            status=status,
            computation_id=computation,
            originator="agent",
            details=details,
        )
        event.timestamp.FromNanoseconds(int((at or time.time()) * 1e9))
        self.send(agent_event=event)

    def log(self, message: bytes, *, computation: str = "", level: str = "INFO", at: float) -> None:
        """Log bytes; those that are no UTF-8 go as an agent in another language would send them."""
        line = cvms_pb2.AgentLog(message="X" * len(message), level=level, computation_id=computation)
        line.timestamp.FromNanoseconds(int(at * 1e9))
        frame = cvms_pb2.ClientStreamMessage(agent_log=line).SerializeToString()
        self._outgoing.put(frame.replace(b"X" * len(message), message))

    def wait(self, condition: Callable[[FakeAgent], Any]) -> Any:
        """The first true value of a condition on this agent."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while not (found := condition(self)):
                assert self._changed.wait(deadline - time.monotonic()), "the agent waited in vain"
            return found

    def manifest(self, number: int = 1) -> cvms_pb2.ComputationRunReq:
        self.wait(lambda agent: len(agent.manifests) >= number)
        return self.manifests[number - 1]

    def close(self) -> None:
        """Leave as a process that ends: the connection is gone."""
        self._outgoing.put(None)
        self._call.cancel()
        self._channel.close()
        self._reader.join()

    def _sent(self) -> Iterator[bytes]:
        while (message := self._outgoing.get()) is not None:
            yield message

    def _read(self) -> None:
        try:
            for message in self._call:
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except grpc.RpcError:
            with self._changed:
                self.ended = (self._call.code(), self._call.details() or "")
                self._changed.notify_all()

    def _take(self, message: cvms_pb2.ServerStreamMessage) -> None:
        kind = message.WhichOneof("message")
        if kind == "agentStateReq":
            self.asked += 1
            if not self.silent:
                answer = cvms_pb2.AgentStateRes(id=message.agentStateReq.id, state=self.state)
                self.send(agentStateRes=answer)
        elif kind == "runReqChunks":
            chunk = message.runReqChunks
            self._pieces[chunk.id] = self._pieces.get(chunk.id, b"") + chunk.data
            if chunk.is_last:
                self._take_manifest(cvms_pb2.ComputationRunReq.FromString(self._pieces.pop(chunk.id)))
        elif kind == "stopComputation":
            self.stops.append(message.stopComputation.computation_id)
            self.state = "ReceivingManifest"
            stopped = cvms_pb2.StopComputationResponse(computation_id=message.stopComputation.computation_id)
            self.send(stopComputationRes=stopped)

        elif kind == "disconnectReq":
            self.disconnections.append(message.disconnectReq.id)

    def _take_manifest(self, request: cvms_pb2.ComputationRunReq) -> None:
        self.manifests.append(request)
        if self.accepts:
            if not self.error:
                self.state = "ReceivingAlgorithm"
                self.event("ReceivingAlgorithm", "InProgress", computation=request.id)
            self.send(run_res=cvms_pb2.RunResponse(computation_id=request.id, error=self.error))


def _credentials(identity: Identity) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=identity.ca,
        private_key=identity.key or None,
        certificate_chain=identity.certificate or None,
    )
