"""The participants' side without an agent: settings, failures, uploads and downloads."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from prism_iac.agent import (
    AgentFailed,
    AgentFiles,
    AgentRefused,
    AgentUnreachable,
    ClientTls,
    ComputationFailed,
    ConnectionBroke,
    NotReady,
    SignatureRefused,
    agent_environment,
)
from prism_iac.agent._protocol import Refusal, Role
from prism_iac.agent.client._download import chunks_of, write_when_whole
from prism_iac.agent.client._failures import failure_of
from prism_iac.agent.client._upload import algorithm_messages, dataset_messages
from prism_iac.errors import Conflict, InvalidInput, RemoteFailure
from prism_iac.model import TlsMode, archive_folder
from prism_iac.wire.agent_pb2 import AlgoRequest, ResultResponse

FILES = AgentFiles(Path("/ca"), Path("/cert"), Path("/key"), Path("/policy"))
URL = {"AGENT_GRPC_URL": "vm:7002"}
CA = {"AGENT_GRPC_SERVER_CA_CERTS": "/ca"}
PAIR = {"AGENT_GRPC_CLIENT_CERT": "/cert", "AGENT_GRPC_CLIENT_KEY": "/key"}
ATTESTED = {"AGENT_GRPC_ATTESTED_TLS": "true", "AGENT_GRPC_ATTESTATION_POLICY": "/policy"}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (TlsMode.NONE, URL),
        (TlsMode.TLS, URL | CA),
        (TlsMode.MTLS, URL | CA | PAIR),
        (TlsMode.ATLS, URL | CA | ATTESTED),
        (TlsMode.MATLS, URL | CA | PAIR | ATTESTED),
    ],
)
def test_the_variables_of_a_mode_are_those_of_the_guide(mode: TlsMode, expected: dict[str, str]) -> None:
    assert agent_environment("https://vm:7002", mode, FILES) == expected


def test_attested_tls_does_without_a_server_ca() -> None:
    files = AgentFiles(attestation_policy=Path("/policy"))
    assert agent_environment("vm:7002", TlsMode.ATLS, files) == URL | ATTESTED


def test_every_missing_file_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        agent_environment("vm:7002", TlsMode.MATLS, AgentFiles(server_ca=Path("/ca")))
    assert [finding.path for finding in caught.value.findings] == [
        "attestation_policy",
        "client_certificate",
        "client_key",
    ]


def test_a_tls_mode_needs_its_files() -> None:
    with pytest.raises(InvalidInput) as caught:
        ClientTls(TlsMode.MTLS, server_ca=b"ca")
    assert [finding.path for finding in caught.value.findings] == ["client_certificate", "client_key"]


def test_the_key_is_not_printed() -> None:
    assert "canary" not in repr(ClientTls(TlsMode.MTLS, b"ca", b"cert", b"canary"))


class Failure(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


@pytest.mark.parametrize(
    "refusal", [item for item in Refusal if not item.startswith(("error reading", "attestation"))]
)
def test_each_refusal_of_an_agent_is_a_conflict_with_a_next_step(refusal: Refusal) -> None:
    error = failure_of(
        Failure(grpc.StatusCode.UNKNOWN, refusal), address="vm:1", call="Data", role=Role.DATA_PROVIDER
    )
    assert isinstance(error, AgentRefused)
    assert isinstance(error, Conflict)
    assert error.agent_text == refusal
    assert error.next_step
    assert "{" not in error.next_step
    assert error.where == "vm:1 Data"


@pytest.mark.parametrize(
    ("code", "text", "call", "expected"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "signature verification failed", "Algo", SignatureRefused),
        (grpc.StatusCode.UNKNOWN, "computation results are not yet ready", "Result", NotReady),
        (grpc.StatusCode.UNKNOWN, "algorithm execution error: exit status 1", "Result", ComputationFailed),
        (grpc.StatusCode.UNKNOWN, "something", "Data", AgentFailed),
        (grpc.StatusCode.INTERNAL, "the agent's disk failed", "Result", AgentFailed),
        (grpc.StatusCode.UNIMPLEMENTED, "Method not found!", "Check", AgentFailed),
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", "Data", ConnectionBroke),
        (grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses", "Data", AgentUnreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", "Check", ConnectionBroke),
    ],
)
def test_a_failure_is_told_by_what_the_participant_can_do(
    code: grpc.StatusCode, text: str, call: str, expected: type[Exception]
) -> None:
    error = failure_of(Failure(code, text), address="vm:1", call=call)
    assert type(error) is expected
    assert isinstance(error, Conflict | RemoteFailure)
    assert error.next_step


def test_a_long_text_of_an_agent_is_cut() -> None:
    error = failure_of(Failure(grpc.StatusCode.UNKNOWN, "x" * 10_000), address="vm:1", call="Data")
    assert len(str(error)) < 1000


def test_requirements_go_before_the_algorithm_in_chunks_of_a_mebibyte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * ((2 << 20) + 1))
    (tmp_path / "r").write_bytes(b"r")
    assert list(algorithm_messages(tmp_path / "a", tmp_path / "r", None)) == [
        AlgoRequest(requirements=b"r"),
        AlgoRequest(algorithm=b"a" * (1 << 20)),
        AlgoRequest(algorithm=b"a" * (1 << 20)),
        AlgoRequest(algorithm=b"a"),
    ]


def test_a_folder_goes_in_whole_chunks(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a").write_bytes(b"a" * (3 << 20))
    (folder / "b").write_bytes(b"b" * 700_000)
    messages = list(dataset_messages(folder, "name", None))
    assert b"".join(message.dataset for message in messages) == b"".join(archive_folder(folder))
    assert {len(message.dataset) for message in messages[:-1]} == {1 << 20}
    assert {message.filename for message in messages} == {"name"}


class Stream:
    def __init__(self, size: str | None, *chunks: bytes) -> None:
        self._size = size
        self._chunks = chunks

    def initial_metadata(self) -> list[tuple[str, str | bytes]]:
        return [] if self._size is None else [("file-size", self._size)]

    def __iter__(self) -> Iterator[ResultResponse]:
        return iter([ResultResponse(file=chunk) for chunk in self._chunks])


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (Stream("5", b"123"), "the agent announced 5 bytes and sent 3 bytes"),
        (Stream("5", b"123", b"456"), "the agent announced 5 bytes and sent 6 bytes"),
        (Stream("5"), "the agent announced 5 bytes and sent 0 bytes"),
        (Stream(None, b"123"), "the agent announced no size and sent 3 bytes"),
        (Stream(None), "the agent announced no size and sent 0 bytes"),
        (Stream("x", b"123"), "the agent announced no size and sent 3 bytes"),
    ],
)
def test_a_download_that_is_not_as_announced_leaves_the_older_file(
    tmp_path: Path, stream: Stream, message: str
) -> None:
    destination = tmp_path / "result.zip"
    destination.write_bytes(b"older")
    with pytest.raises(AgentFailed, match=re.escape(message)) as caught:
        write_when_whole(chunks_of(stream, None, where="vm:1 Result"), destination)
    assert caught.value.retry_is_safe
    assert [path.name for path in tmp_path.iterdir()] == ["result.zip"]
    assert destination.read_bytes() == b"older"


def test_more_than_is_taken_is_refused_before_a_chunk_is_drawn() -> None:
    class Unread(Stream):
        def __iter__(self) -> Iterator[ResultResponse]:
            raise AssertionError("it was read")

    stream = Unread("5", b"12345")
    with pytest.raises(AgentFailed, match="the agent announced 5 bytes, where at most 4 are taken"):
        list(chunks_of(stream, None, where="vm:1 Attestation", most_bytes=4))


def test_a_download_stops_at_the_first_byte_too_many() -> None:
    drawn: list[bytes] = []

    class Endless(Stream):
        def __iter__(self) -> Iterator[ResultResponse]:
            while True:
                drawn.append(b"123")
                yield ResultResponse(file=drawn[-1])

    with pytest.raises(AgentFailed, match="announced 5 bytes and sent 6"):
        list(chunks_of(Endless("5"), None, where="vm:1 Result"))
    assert len(drawn) == 2


def test_a_whole_download_replaces_the_older_file_and_is_private(tmp_path: Path) -> None:
    destination = tmp_path / "result.zip"
    destination.write_bytes(b"older")
    write_when_whole(chunks_of(Stream("6", b"123", b"456"), None, where="vm:1 Result"), destination)
    assert destination.read_bytes() == b"123456"
    assert destination.stat().st_mode & 0o777 == 0o600


def test_importing_the_room_loads_none_of_the_heavy_libraries() -> None:
    program = "import sys, prism_iac.agent; print(*sorted({'grpc', 'wasmtime', 'cryptography', 'structlog'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
