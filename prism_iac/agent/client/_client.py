"""The participants' client of one agent.

Source: cocos-grpc.md sections 2.1, 2.2, 3 and 11.4.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from prism_iac.agent._protocol import HEALTH_SERVICE, AlgorithmKind, EvidenceType, Header, Role
from prism_iac.agent.client._download import chunks_of, write_when_whole
from prism_iac.agent.client._failures import (
    RESULT,
    AgentUnproven,
    AgentUnreachable,
    failure_of,
    is_about_connection,
)
from prism_iac.agent.client._tls import ClientTls, Line, open_line
from prism_iac.agent.client._upload import Progress, Upload, algorithm_messages, dataset_messages
from prism_iac.errors import Finding, InvalidInput

__all__ = ["AgentClient"]

_ONE_CHECK_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1
_MOST_EVIDENCE_BYTES: Final = 16 << 20


class AgentClient:
    """Uploads to an agent and fetches from it; a context manager, made by `connect`.

    Private keys are PEM bytes, as `prism_iac.pki.sign_role` takes them; they sign and go nowhere.
    """

    def __init__(self, address: str, line: Line) -> None:
        self._address = address
        self._line = line
        self._channel = line.channel

    @classmethod
    def connect(cls, address: str, *, tls: ClientTls) -> Self:
        """A client of the agent at `host:port`; the first call makes the connection.

        In an attested mode every call may end with EvidenceRefused, a VerificationFailure, before anything is sent.

        Raises:
            InvalidInput: A file of an attested mode cannot be read, or the address is another.
        """
        target = address.rpartition("://")[2]
        return cls(target, open_line(target, tls))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up."""
        self._line.close()

    def wait_until_serving(
        self,
        timeout_seconds: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait until the agent takes calls: its port opens when a run has begun.

        Args:
            timeout_seconds: How long to wait at most.
            now: Monotonic seconds.
            sleep: Waits for a number of seconds.

        Raises:
            AgentUnproven: It shows a certificate of another CA, or for another address.
            EvidenceRefused: It does not prove what it must.
            AgentUnreachable: It does not, within this time.
            AgentFailed: What answers is no agent.
        """
        deadline = now() + timeout_seconds
        while True:
            left = deadline - now()
            try:
                if self._is_serving(max(min(left, _ONE_CHECK_SECONDS), _PAUSE_SECONDS)):
                    return
            except AgentUnproven:
                raise
            except AgentUnreachable:
                if deadline - now() <= 0:
                    raise
            if deadline - now() <= 0:
                raise AgentUnreachable(
                    f"the agent did not begin to serve within {timeout_seconds:g} seconds",
                    code="NOT_FOUND",
                    agent_text="",
                    where=self._address,
                    next_step="Look at the state of the VM and of the run.",
                )
            sleep(min(_PAUSE_SECONDS, timeout_seconds))

    def upload_algorithm(
        self,
        path: Path,
        key_pem: bytes,
        *,
        kind: AlgorithmKind,
        arguments: Sequence[str] = (),
        requirements: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Upload the algorithm of the computation.

        Args:
            path: A file.
            key_pem: The algorithm provider's private key.
            kind: How it is run.
            arguments: What it is called with; printable ASCII.
            requirements: A pip requirements file, for Python.
            progress: Told of every chunk.

        Raises:
            InvalidInput: A file or the key cannot be read, or an argument cannot be sent.
            AgentRefused: It does not fit the computation.
            AgentUnreachable: There is no connection, or it broke.
            AgentFailed: The agent could not take it.
        """
        from prism_iac.wire.agent_pb2_grpc import AgentServiceStub

        metadata = (
            *_identity(Role.ALGORITHM_PROVIDER, key_pem),
            (Header.ALGORITHM_KIND.value, kind.value),
            *((Header.ALGORITHM_ARGUMENT.value, _sendable(argument)) for argument in arguments),
        )
        upload = Upload(algorithm_messages(path, requirements, progress))
        with self._failures("Algo", Role.ALGORITHM_PROVIDER, upload):
            AgentServiceStub(self._channel).Algo(upload, metadata=metadata)

    def upload_dataset(
        self,
        path: Path,
        key_pem: bytes,
        *,
        filename: str | None = None,
        decompress: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Upload one dataset of the computation.

        Args:
            path: A file, or a folder, which goes as its deterministic archive.
            key_pem: The dataset provider's private key.
            filename: The name it is declared by; the path's last part when left out.
            decompress: The agent unpacks the archive into `datasets/`.
            progress: Told of every chunk.

        Raises:
            InvalidInput: A file or the key cannot be read.
            AgentRefused: It does not fit the computation.
            AgentUnreachable: There is no connection, or it broke.
            AgentFailed: The agent could not take it.
        """
        from prism_iac.wire.agent_pb2_grpc import AgentServiceStub

        metadata = (
            *_identity(Role.DATA_PROVIDER, key_pem),
            (Header.DECOMPRESS.value, "true" if decompress else "false"),
        )
        upload = Upload(dataset_messages(path, filename or path.resolve().name, progress))
        with self._failures("Data", Role.DATA_PROVIDER, upload):
            AgentServiceStub(self._channel).Data(upload, metadata=metadata)

    def fetch_result(self, key_pem: bytes, destination: Path, *, progress: Progress | None = None) -> Path:
        """Fetch the result archive; gives the destination.

        Args:
            key_pem: The result consumer's private key.
            destination: A file; it appears when the result is whole, and replaces an older one then.
            progress: Told of every chunk.

        Raises:
            InvalidInput: The key cannot be read, or the destination cannot be written.
            NotReady: There is no result yet.
            ComputationFailed: There will be none.
            AgentRefused: The key is no consumer's.
            AgentUnreachable: There is no connection, or it broke.
            AgentFailed: What came is not what was announced.
        """
        from prism_iac.wire.agent_pb2 import ResultRequest
        from prism_iac.wire.agent_pb2_grpc import AgentServiceStub

        metadata = _identity(Role.CONSUMER, key_pem)
        with self._failures(RESULT, Role.CONSUMER):
            stream = AgentServiceStub(self._channel).Result(ResultRequest(), metadata=metadata)
            write_when_whole(chunks_of(stream, progress, where=self._where(RESULT)), destination)
        return destination

    def fetch_attestation(
        self,
        *,
        tee_nonce: bytes,
        vtpm_nonce: bytes = b"",
        evidence_type: EvidenceType = EvidenceType.SNP,
        timeout_seconds: float | None = None,
    ) -> bytes:
        """Fetch evidence that holds a nonce; it is not verified here.

        Args:
            tee_nonce: At most 64 bytes.
            vtpm_nonce: At most 32 bytes.
            evidence_type: The type of the VM's platform.
            timeout_seconds: How long to wait for all of it; None for as long as it takes.

        Raises:
            AgentRefused: A nonce is too long, or the platform has no such evidence.
            AgentUnreachable: There is no connection, or it broke.
            AgentFailed: What came is not what was announced.
        """
        from prism_iac.wire.agent_pb2 import AttestationRequest
        from prism_iac.wire.agent_pb2_grpc import AgentServiceStub

        request = AttestationRequest(teeNonce=tee_nonce, vtpmNonce=vtpm_nonce, type=evidence_type)
        with self._failures("Attestation"):
            stream = AgentServiceStub(self._channel).Attestation(request, timeout=timeout_seconds)
            chunks = chunks_of(
                stream, None, where=self._where("Attestation"), most_bytes=_MOST_EVIDENCE_BYTES
            )
            return b"".join(chunks)

    def _is_serving(self, timeout_seconds: float) -> bool:
        import grpc
        from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

        check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        with self._failures("Check"):
            try:
                answer = check(HealthCheckRequest(service=HEALTH_SERVICE), timeout=timeout_seconds)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return False
                raise
        return answer.status == HealthCheckResponse.SERVING

    def _where(self, call: str) -> str:
        return f"{self._address} {call}"

    @contextmanager
    def _failures(
        self, call: str, role: Role | None = None, upload: Upload[Any] | None = None
    ) -> Iterator[None]:
        import grpc

        try:
            if upload is not None:
                upload.begin()
            yield
        except grpc.RpcError as error:
            if upload is not None and isinstance(upload.problem, OSError):
                raise _unreadable(upload.problem) from upload.problem
            if upload is not None and upload.problem is not None:
                raise upload.problem from None
            if is_about_connection(error) and (failure := self._line.failure) is not None:
                raise failure from error
            raise failure_of(error, address=self._address, call=call, role=role) from error
        except OSError as error:
            raise _unreadable(error) from error


def _identity(role: Role, key_pem: bytes) -> tuple[tuple[str, str], ...]:
    from prism_iac.pki import sign_role

    signature = base64.b64encode(sign_role(key_pem, role)).decode("ascii")
    return (Header.USER_ID.value, role.value), (Header.SIGNATURE.value, signature)


def _sendable(argument: str) -> str:
    # gRPC over HTTP/2 carries printable ASCII in metadata, and strips white space at its ends.
    if argument.isascii() and argument.isprintable() and argument == argument.strip():
        return argument
    raise InvalidInput(
        [
            Finding(
                path="arguments",
                message=f"{argument!a} cannot be sent: an argument is printable ASCII without outer spaces",
                fix="Give such values in a dataset instead.",
            )
        ]
    )


def _unreadable(error: OSError) -> InvalidInput:
    return InvalidInput(
        [
            Finding(
                path=str(error.filename or ""),
                message=f"cannot be used: {error.strerror or error}",
                fix="Check the path and its rights.",
            )
        ]
    )
