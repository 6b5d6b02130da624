"""Messages of the gRPC protocols as bytes on the wire, against the handlers of the servers: no handler may fail.

What is no message at all is refused by gRPC itself, before any of our code.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Never

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct

from prism_iac.agent._protocol import Header, Role
from prism_iac.agent.server._agent import Agent
from prism_iac.agent.server._allowance import DataLimits
from prism_iac.agent.server._announcer import Announcer
from prism_iac.agent.server._chunks import ChunkAssembler
from prism_iac.agent.server._computation import Computation
from prism_iac.agent.server._log import LogForwarder
from prism_iac.agent.server._manifest import read_manifest
from prism_iac.agent.server._outbox import Outbox
from prism_iac.agent.server._port import ParticipantPort
from prism_iac.agent.server._runner import Runner
from prism_iac.agent.server._service import AgentService
from prism_iac.agent.server._settings import Endpoint, RunLimits
from prism_iac.agent.server._workspace import Workspace
from prism_iac.agent.server.sources import Fetcher, FetchFailed, SourceSettings
from prism_iac.backend.control.messages import parse_client_message
from prism_iac.backend.control.recording import record
from prism_iac.backend.control.stream import Stream
from prism_iac.backend.store import Database, prepare_schema
from prism_iac.errors import Conflict
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.hypervisor.manager._fleet import Fleet
from prism_iac.hypervisor.manager._service import ManagerService
from prism_iac.model import LogLevel
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair, parse_public_key, sign_role
from prism_iac.provider.native._values import from_struct, secrets_in, to_struct
from prism_iac.wire import agent_pb2, cvms_pb2, manager_pb2
from prism_iac.wire.agent_pb2_grpc import add_AgentServiceServicer_to_server
from prism_iac.wire.manager_pb2_grpc import add_ManagerServiceServicer_to_server
from tests.contract.agent.vm import free_port
from tests.fuzz.target import Target, scratch
from tests.fuzz.targets.guest import simulated_guest
from tests.unit.backend.bridge import LoopThread
from tests.unit.backend.support import Prism

__all__ = ["TARGETS"]

# What is no message fails within the library as well, and is told in the same form.
_OF_THE_LIBRARY = ("Exception calling application", "Unexpected <class", "Exception iterating")
_PATIENCE_SECONDS = 20.0


class _HandlerFailed(AssertionError):
    pass


class _Undone(Exception):
    pass


def _quiet() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@cache
def _thread() -> LoopThread:
    return LoopThread()


@cache
def _key() -> KeyPair:
    return generate_key_pair(KeyAlgorithm.ED25519)


def _frames(data: bytes) -> list[bytes]:
    """The messages of a stream: each after its length, two bytes."""
    frames = []
    while data:
        size = int.from_bytes(data[:2], "big")
        frames.append(data[2 : 2 + size])
        data = data[2 + size :]
    return frames[:16]


def _framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


# Agents to the control stream ------------------------------------------------------------------------------------


_COMPUTATION = "00000000-0000-4000-8000-000000000000"
"""Stands in inputs for the one that there is."""


@dataclass
class _Control:
    database: Database
    cvm: str
    computation: str
    now: Callable[[], datetime]


@cache
def _control_server() -> _Control:
    """A backend with a run that is under way."""
    _quiet()
    folder = scratch()
    database = Database.in_folder(folder)
    prepare_schema(database)
    prism = Prism(database, folder, _thread())
    lab = prism.workspace(prism.person("ada"))
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    lab.run(computation, cvm)
    return _Control(database, cvm, computation, prism.clock)


def _control(data: bytes) -> None:
    server = _control_server()
    stream = Stream(cvm_id=server.cvm, serial="7", takes_commands=True)
    data = data.replace(_COMPUTATION.encode(), server.computation.encode())
    messages = [parse_client_message(frame) for frame in _frames(data)]
    with suppress(_Undone), server.database.writing() as session:
        record(session, stream, messages, now=server.now())
        raise _Undone


def _told() -> Iterator[bytes]:
    computation = _COMPUTATION
    event = cvms_pb2.AgentEvent(
        event_type="Failed",
        status="Failed",
        computation_id=computation,
        originator="agent",
        details=b'{"error": "e"}',
    )
    event.timestamp.FromDatetime(datetime(2026, 1, 12, 9, 31, tzinfo=UTC))
    log = cvms_pb2.AgentLog(message="line", level="INFO", computation_id=computation)
    log.timestamp.CopyFrom(event.timestamp)
    said: list[dict[str, Any]] = [
        {"agent_log": log},
        {"agent_event": event},
        {"run_res": cvms_pb2.RunResponse(computation_id=computation, error="e")},
        {"stopComputationRes": cvms_pb2.StopComputationResponse(computation_id=computation, message="m")},
        {"agentStateRes": cvms_pb2.AgentStateRes(id="1", state="Running")},
        {"vTPMattestationReport": cvms_pb2.AttestationResponse(file=bytes(8))},
        {"azureAttestationToken": cvms_pb2.azureAttestationToken(file=bytes(8))},
    ]  # fmt: skip
    messages = [cvms_pb2.ClientStreamMessage(**item).SerializeToString() for item in said]
    yield _framed(*messages)
    for message in messages:
        yield _framed(message)


# Prism to an agent -----------------------------------------------------------------------------------------------


class _Offline(Fetcher):
    """Fetches nothing from anywhere."""

    async def fetch_algorithm(self, *_: Any) -> Never:
        raise FetchFailed("offline")

    async def fetch_dataset(self, *_: Any) -> Never:
        raise FetchFailed("offline")


@dataclass
class _Parts:
    workspace: Workspace
    outbox: Outbox
    runner: Runner
    fetcher: Fetcher

    @classmethod
    def make(cls) -> _Parts:
        folder = scratch()
        (folder / "work").mkdir()
        workspace = Workspace(folder / "work", folder)
        return cls(
            workspace,
            Outbox(folder / "pending", now=time.monotonic, most_logs=10),
            Runner(workspace, RunLimits(), {}),
            _Offline(SourceSettings(), None, lambda: datetime.now(UTC)),
        )

    @property
    def announcer(self) -> Announcer:
        return Announcer(self.outbox, time.time_ns)


@cache
def _agent() -> Agent:
    _quiet()
    parts = _Parts.make()
    return Agent(
        workspace=parts.workspace,
        runner=parts.runner,
        fetcher=parts.fetcher,
        port=ParticipantPort(Endpoint("127.0.0.1", free_port()), None, scratch()),
        guest=None,
        measurements=None,
        outbox=parts.outbox,
        announcer=parts.announcer,
        chunks=ChunkAssembler(time.monotonic),
        limits=DataLimits(),
        log=LogForwarder(parts.outbox, level=LogLevel.ERROR, now_ns=time.time_ns),
        now=lambda: datetime.now(UTC),
    )


def _orders(data: bytes) -> None:
    """What an agent is told on one stream; in the end a stop."""
    orders = [cvms_pb2.ServerStreamMessage.FromString(frame) for frame in _frames(data)]

    async def obey() -> None:
        agent = _agent()
        try:
            for order in orders:
                await agent.handle(order)
        finally:
            await agent.handle(cvms_pb2.ServerStreamMessage(stopComputation=cvms_pb2.StopComputation()))

    _thread().run(obey())


def _run_request() -> cvms_pb2.ComputationRunReq:
    der = parse_public_key(_key().public_pem)
    source = cvms_pb2.Source(url="https://example.com/numbers.csv")
    kbs = cvms_pb2.KBSConfig(enabled=True)
    return cvms_pb2.ComputationRunReq(
        id="c",
        name="sum",
        algorithm=cvms_pb2.Algorithm(hash=bytes(32), userKey=der, algo_type="python", algo_args=["-v"]),
        datasets=[
            cvms_pb2.Dataset(hash=bytes(32), userKey=der, filename="numbers.csv"),
            cvms_pb2.Dataset(
                hash=bytes(32), userKey=der, filename="more.csv", source=source, kbs=kbs, decompress=True
            ),
        ],
        result_consumers=[cvms_pb2.ResultConsumer(userKey=der)],
        agent_config=cvms_pb2.AgentConfig(log_level="info"),
    )


def _all_orders() -> Iterator[bytes]:
    request = _run_request()
    secured = _run_request()
    secured.agent_config.cert_file = "-----BEGIN CERTIFICATE-----\n"
    secured.agent_config.key_file = "-----BEGIN PRIVATE KEY-----\n"
    whole = request.SerializeToString()
    chunks = [
        cvms_pb2.RunReqChunks(id="c", data=whole[:50]),
        cvms_pb2.RunReqChunks(id="c", data=whole[50:], is_last=True),
    ]
    said: list[list[dict[str, Any]]] = [
        [{"runReq": request}],
        [{"runReq": secured}],
        [{"runReqChunks": chunk} for chunk in chunks],
        [{"agentStateReq": cvms_pb2.AgentStateReq(id="1")}],
        [{"stopComputation": cvms_pb2.StopComputation(computation_id="c")}],
    ]
    for items in said:
        yield _framed(*(cvms_pb2.ServerStreamMessage(**item).SerializeToString() for item in items))


# Participants to an agent ----------------------------------------------------------------------------------------

_METHODS = ("Algo", "Data", "Result", "Attestation", "IMAMeasurements", "AzureAttestationToken")
_TAKES_A_STREAM = frozenset({"Algo", "Data"})
_ROLES = {"Algo": Role.ALGORITHM_PROVIDER, "Data": Role.DATA_PROVIDER, "Result": Role.CONSUMER}


@cache
def _agent_channel() -> grpc.Channel:
    _quiet()
    parts = _Parts.make()
    target = f"unix:{scratch() / 'agent.sock'}"

    async def start() -> grpc.aio.Server:
        request = _run_request()
        parts.workspace.prepare()
        computation = Computation(
            read_manifest(request),
            workspace=parts.workspace,
            announcer=parts.announcer,
            runner=parts.runner,
            limits=DataLimits(),
            fetcher=parts.fetcher,
        )
        server = grpc.aio.server()
        add_AgentServiceServicer_to_server(AgentService(computation, simulated_guest()), server)
        server.add_insecure_port(target)
        await server.start()
        computation.begin()
        return server

    _kept.append(_thread().run(start()))
    return grpc.insecure_channel(target)


_kept: list[Any] = []
"""Servers, which end when nobody holds them any more."""


def _participant(data: bytes) -> None:
    """One call of somebody who may make it: the first byte chooses which, the rest are the messages."""
    name = _METHODS[(data[:1] or b"\0")[0] % len(_METHODS)]
    metadata = []
    if name in _ROLES:
        metadata.append(
            (Header.SIGNATURE.value, base64.b64encode(sign_role(_key().private_pem, _ROLES[name])).decode())
        )
        metadata += [("algo_type", "python"), ("decompress", "true")]
    _call(
        _agent_channel(),
        f"/agent.AgentService/{name}",
        _frames(data[1:]),
        metadata=metadata,
        takes_a_stream=name in _TAKES_A_STREAM,
        gives_a_stream=name in ("Result", "Attestation", "IMAMeasurements"),
    )


def _call(
    channel: grpc.Channel,
    path: str,
    frames: list[bytes],
    *,
    metadata: list[tuple[str, str]],
    takes_a_stream: bool = False,
    gives_a_stream: bool = False,
) -> None:
    """Make a call with bytes as they are.

    Raises:
        _HandlerFailed: The handler raised what it should not.
        RpcError: Refused.
    """
    kind: Any = {
        (True, True): channel.stream_stream,
        (True, False): channel.stream_unary,
        (False, True): channel.unary_stream,
        (False, False): channel.unary_unary,
    }[takes_a_stream, gives_a_stream]
    call = kind(path, request_serializer=bytes, response_deserializer=bytes)
    sent = iter(frames) if takes_a_stream else b"".join(frames[:1])
    try:
        answer = call(sent, metadata=metadata, timeout=_PATIENCE_SECONDS)
        if gives_a_stream:
            for _ in answer:
                pass
    except grpc.RpcError as error:
        said = str(error.details())
        is_failure = said.startswith(_OF_THE_LIBRARY) and "DecodeError" not in said
        if is_failure or error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise _HandlerFailed(f"{path}: {said}") from error
        raise


def _calls() -> Iterator[bytes]:
    messages: dict[str, list[Message]] = {
        "Algo": [agent_pb2.AlgoRequest(algorithm=b"print(1)", requirements=b"numpy")],
        "Data": [agent_pb2.DataRequest(dataset=b"1,2\n", filename="numbers.csv")],
        "Result": [agent_pb2.ResultRequest()],
        "Attestation": [agent_pb2.AttestationRequest(teeNonce=bytes(64), vtpmNonce=bytes(32))],
        "IMAMeasurements": [agent_pb2.IMAMeasurementsRequest()],
        "AzureAttestationToken": [agent_pb2.AttestationTokenRequest(tokenNonce=bytes(32))],
    }
    for number, name in enumerate(_METHODS):
        yield bytes([number]) + _framed(*(message.SerializeToString() for message in messages[name]))


# Clients to a manager --------------------------------------------------------------------------------------------


class _NoMachine(LocalHypervisor):
    """Makes nothing."""

    def create(self, spec: Any) -> Never:
        raise Conflict(f"no VM {spec.id}")


_MANAGER_METHODS: dict[str, Message] = {
    "CreateVm": manager_pb2.CreateReq(
        agent_cvm_server_url="127.0.0.1:7001",
        agent_log_level="info",
        agent_cvm_server_ca_cert=b"-----BEGIN CERTIFICATE-----\n",
        ttl="1h30m",
    ),
    "RemoveVm": manager_pb2.RemoveReq(cvm_id="5f0b4f5c-0a7e-4e0f-8f3f-3f4a2a0a6d2c"),
    "CVMInfo": manager_pb2.CVMInfoReq(id="5f0b4f5c-0a7e-4e0f-8f3f-3f4a2a0a6d2c"),
    "AttestationPolicy": manager_pb2.AttestationPolicyReq(id="5f0b4f5c-0a7e-4e0f-8f3f-3f4a2a0a6d2c"),
}


@cache
def _manager_channel() -> grpc.Channel:
    folder = scratch()
    fleet = Fleet(_NoMachine(folder), folder, max_vms=2, now=lambda: datetime.now(UTC))
    server = grpc.server(ThreadPoolExecutor(2))
    add_ManagerServiceServicer_to_server(ManagerService(fleet, vcpus=2, on_change=lambda: None), server)
    target = f"unix:{folder / 'manager.sock'}"
    server.add_insecure_port(target)
    server.start()
    _kept.append(server)
    return grpc.insecure_channel(target)


def _manager(data: bytes) -> None:
    names = tuple(_MANAGER_METHODS)
    name = names[(data[:1] or b"\0")[0] % len(names)]
    _call(_manager_channel(), f"/manager.ManagerService/{name}", [data[1:]], metadata=[])


def _manager_calls() -> Iterator[bytes]:
    for number, message in enumerate(_MANAGER_METHODS.values()):
        yield bytes([number]) + message.SerializeToString()


# The engine to the native plugin ---------------------------------------------------------------------------------


def _properties(data: bytes) -> None:
    """Properties as the engine sends them."""
    struct = Struct.FromString(data)
    secret = secrets_in(struct)
    assert from_struct(to_struct(from_struct(struct), secret=secret)) == from_struct(struct)


def _structs() -> Iterator[bytes]:
    yield to_struct(
        {"name": "n", "agent": {"serverKey": "k"}, "list": [1, True, None]}, secret=["serverKey"]
    ).SerializeToString()


TARGETS = (
    Target("control-stream", _control, _told, (DecodeError,)),
    Target("agent-orders", _orders, _all_orders, (DecodeError,)),
    Target("participants-calls", _participant, _calls, (grpc.RpcError,)),
    Target("manager-calls", _manager, _manager_calls, (grpc.RpcError,)),
    Target("engine-properties", _properties, _structs, (DecodeError,)),
)
