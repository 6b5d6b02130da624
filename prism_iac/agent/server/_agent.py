"""What the agent does with each message of the control stream.

Source: cocos-grpc.md sections 4.2, 5.3 and 5.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from google.protobuf.message import DecodeError

from prism_iac.agent.server._allowance import DataLimits
from prism_iac.agent.server._announcer import Announcer, EventStatus
from prism_iac.agent.server._chunks import ChunkAssembler
from prism_iac.agent.server._computation import Computation
from prism_iac.agent.server._log import LogForwarder
from prism_iac.agent.server._manifest import read_manifest
from prism_iac.agent.server._measurements import MeasurementList
from prism_iac.agent.server._outbox import Outbox
from prism_iac.agent.server._port import ParticipantPort
from prism_iac.agent.server._runner import Runner
from prism_iac.agent.server._security import read_security
from prism_iac.agent.server._service import AgentService
from prism_iac.agent.server._workspace import Workspace
from prism_iac.agent.server.sources import Fetcher
from prism_iac.attestation import SimulatedGuest
from prism_iac.errors import PrismError
from prism_iac.model import AgentState, LogLevel
from prism_iac.wire.cvms_pb2 import (
    AgentStateRes,
    ClientStreamMessage,
    ComputationRunReq,
    RunReqChunks,
    RunResponse,
    ServerStreamMessage,
    StopComputationResponse,
)

__all__ = ["Agent"]

_GRACE_SECONDS: Final = 1.0
"""What calls under way may still take; the contract allows up to five, and Prism waits for it."""

_log = structlog.get_logger(__name__)


class Agent:
    """Takes one computation after the other.

    Args:
        guest: What this VM proves itself with; None when it cannot.
        measurements: What the VM has run; None where nothing keeps account of it.
        limits: What participants may send, and how large a result may be.
        log: Learns which computation lines belong to, and its level.
        now: The time, aware.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        runner: Runner,
        fetcher: Fetcher,
        port: ParticipantPort,
        guest: SimulatedGuest | None,
        measurements: MeasurementList | None,
        outbox: Outbox,
        announcer: Announcer,
        chunks: ChunkAssembler,
        limits: DataLimits,
        log: LogForwarder,
        now: Callable[[], datetime],
    ) -> None:
        self._workspace = workspace
        self._runner = runner
        self._fetcher = fetcher
        self._port = port
        self._guest = guest
        self._measurements = measurements
        self._outbox = outbox
        self._announcer = announcer
        self._chunks = chunks
        self._limits = limits
        self._log_forwarder = log
        self._usual_level = log.level
        self._now = now
        self._computation: Computation | None = None

    @property
    def state(self) -> AgentState:
        """The phase, as Prism is told."""
        return self._computation.state if self._computation else AgentState.RECEIVING_MANIFEST

    def report_interrupted_computation(self) -> None:
        """Announce the failure of a computation that an earlier process did not bring to its end.

        Raises:
            OSError: Its files cannot be removed.
        """
        computation_id = self._workspace.interrupted_computation()
        self._workspace.clear()
        if computation_id is not None:
            details = {"error": "the agent ended while the computation was under way"}
            self._announcer.announce(computation_id, AgentState.FAILED, EventStatus.FAILED, details)
            self._workspace.unmark()

    async def handle(self, message: ServerStreamMessage) -> None:
        """Act on one message."""
        match message.WhichOneof("message"):
            case "runReqChunks":
                await self._take_chunk(message.runReqChunks)
            case "runReq":
                await self._take_manifest(message.runReq)
            case "stopComputation":
                await self._stop(message.stopComputation.computation_id)
            case "agentStateReq":
                answer = AgentStateRes(id=message.agentStateReq.id, state=self.state)
                self._outbox.put(ClientStreamMessage(agentStateRes=answer))
            case kind:
                _log.warning("a message of an unknown kind was ignored", kind=kind)

    async def close(self) -> None:
        """End the computation for the end of the process; its note on disk stays for the next one.

        Raises:
            OSError: A file of the computation cannot be removed.
        """
        if self._computation is not None:
            await self._computation.end()
        await self._port.close(_GRACE_SECONDS)
        self._workspace.clear()

    async def _take_chunk(self, chunk: RunReqChunks) -> None:
        try:
            data = self._chunks.add(chunk.id, chunk.data, is_last=chunk.is_last)
            request = ComputationRunReq.FromString(data) if data is not None else None
        except (DecodeError, ValueError) as error:
            _log.warning("a manifest could not be read", reason=str(error))
            self._answer_run(chunk.id, "received manifest may be corrupted")
            return
        if request is not None:
            await self._take_manifest(request)

    async def _take_manifest(self, request: ComputationRunReq) -> None:
        if self._computation is not None:
            _log.info("a manifest was ignored: a computation is under way", id=request.id, state=self.state)
            return
        self._log_forwarder.computation_id = request.id
        try:
            await self._begin(request)
        except (PrismError, OSError) as error:
            _log.warning("the manifest was refused", reason=str(error))
            self._forget_computation()
            self._answer_run(request.id, str(error))
            return
        self._answer_run(request.id, "")

    async def _begin(self, request: ComputationRunReq) -> None:
        manifest = read_manifest(request)
        security = read_security(request.agent_config, has_platform=self._guest is not None, now=self._now())
        self._log_forwarder.level = _level(request.agent_config.log_level, self._usual_level)
        computation = Computation(
            manifest,
            workspace=self._workspace,
            announcer=self._announcer,
            runner=self._runner,
            limits=self._limits,
            fetcher=self._fetcher,
        )
        self._workspace.prepare()
        is_attested = security is not None and security.is_attested
        service = AgentService(computation, self._guest, self._measurements, is_attested=is_attested)
        await self._port.open(service, security)
        computation.begin()
        self._computation = computation
        _log.info("a computation begins", name=manifest.name, datasets=len(manifest.datasets))

    async def _stop(self, computation_id: str) -> None:
        problem = ""
        if self._computation is not None:
            _log.info("the computation is stopped", state=self.state)
            self._computation.announce_stop()
            await self._computation.end()
        await self._port.close(_GRACE_SECONDS)
        try:
            await asyncio.to_thread(self._workspace.clear)
            self._workspace.unmark()
        except OSError as error:
            problem = f"a file of the computation cannot be removed: {error.strerror}"
        self._forget_computation()
        answer = StopComputationResponse(computation_id=computation_id, message=problem)
        self._outbox.put(ClientStreamMessage(stopComputationRes=answer))

    def _forget_computation(self) -> None:
        self._computation = None
        self._log_forwarder.computation_id = ""
        self._log_forwarder.level = self._usual_level

    def _answer_run(self, computation_id: str, error: str) -> None:
        answer = RunResponse(computation_id=computation_id, error=error)
        self._outbox.put(ClientStreamMessage(run_res=answer))


def _level(text: str, usual: LogLevel) -> LogLevel:
    try:
        return LogLevel(text.lower())
    except ValueError:
        return usual
