"""The participants' calls: who may make them, and how they come over the wire.

Source: cocos-grpc.md sections 2.1, 2.2, 2.4 and 3.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias, TypeVar

import grpc
import structlog

from prism_iac.agent._protocol import (
    CHUNK_BYTES,
    TEE_NONCE_BYTES,
    UNBOUND_NONCE_BYTES,
    VTPM_NONCE_BYTES,
    EvidenceType,
    Header,
    Refusal,
    Role,
)
from prism_iac.agent.server._computation import Computation
from prism_iac.agent.server._evidence import evidence_for_participant
from prism_iac.agent.server._measurements import MeasurementList
from prism_iac.agent.server._refused import Refused
from prism_iac.attestation import SimulatedGuest
from prism_iac.pki import verify_role
from prism_iac.wire.agent_pb2 import (
    AlgoRequest,
    AlgoResponse,
    AttestationRequest,
    AttestationResponse,
    AttestationTokenRequest,
    AttestationTokenResponse,
    DataRequest,
    DataResponse,
    IMAMeasurementsRequest,
    IMAMeasurementsResponse,
    ResultRequest,
    ResultResponse,
)
from prism_iac.wire.agent_pb2_grpc import AgentServiceServicer

__all__ = ["AgentService", "EvidenceService"]

_Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"
_Request = TypeVar("_Request", AlgoRequest, DataRequest)

_BLOCK_BYTES: Final = 8 * CHUNK_BYTES
"""What is read at once: the way to a thread and back takes longer than a chunk."""

_MOST_DISCARDED_BYTES: Final = 64 << 20
_DISCARDING_SECONDS: Final = 5.0
_STALLED_SECONDS: Final = 300.0

_log = structlog.get_logger(__name__)


class EvidenceService:
    """What anybody may ask of the VM.

    Args:
        guest: What this VM proves itself with; None when it cannot.
        is_attested: Evidence of the same guest proves connections, so a nonce must not look like a binding.
    """

    def __init__(self, guest: SimulatedGuest | None, *, is_attested: bool = False) -> None:
        self._guest = guest
        self._is_attested = is_attested

    async def Attestation(  # noqa: N802  # named by the protocol
        self, request: AttestationRequest, context: _Context
    ) -> AsyncIterator[AttestationResponse]:
        """Send evidence that holds the caller's nonce."""
        async with _answering(context, "Attestation"):
            if len(request.teeNonce) > TEE_NONCE_BYTES:
                raise Refused(Refusal.TEE_NONCE_TOO_LONG)
            if len(request.vtpmNonce) > VTPM_NONCE_BYTES:
                raise Refused(Refusal.VTPM_NONCE_TOO_LONG)
            report_data = request.teeNonce.ljust(TEE_NONCE_BYTES, b"\0")
            if self._is_attested and any(report_data[UNBOUND_NONCE_BYTES:]):
                # Evidence of a connection holds a SHA-512. Whoever could have it made here, for a hash of their
                # own connection to a participant, would stand between the two unseen.
                raise Refused(Refusal.TEE_NONCE_COULD_BE_A_BINDING)
            evidence = await asyncio.to_thread(
                evidence_for_participant, self._guest, _evidence_type(request.type), report_data
            )
            await context.send_initial_metadata(((Header.FILE_SIZE.value, str(len(evidence))),))
            for start in range(0, len(evidence), CHUNK_BYTES):
                yield AttestationResponse(file=evidence[start : start + CHUNK_BYTES])


class AgentService(EvidenceService, AgentServiceServicer):
    """The calls of the participants of one computation.

    Args:
        guest: What this VM proves itself with; None when it cannot.
        measurements: What the VM has run; None where nothing keeps account of it.
        is_attested: The port proves the VM to everybody who connects.
    """

    def __init__(
        self,
        computation: Computation,
        guest: SimulatedGuest | None,
        measurements: MeasurementList | None = None,
        *,
        is_attested: bool = False,
    ) -> None:
        super().__init__(guest, is_attested=is_attested)
        self._computation = computation
        self._measurements = measurements

    async def Algo(  # noqa: N802  # named by the protocol
        self, request_iterator: AsyncIterator[AlgoRequest], context: _Context
    ) -> AlgoResponse:
        """Receive the algorithm and its requirements; acts at the end of the stream."""
        async with _answering(context, "Algo"):
            await self._admit(context, Role.ALGORITHM_PROVIDER, request_iterator)
            with self._computation.incoming() as algorithm, self._computation.incoming() as requirements:
                async for request in _arriving(request_iterator):
                    await algorithm.write(request.algorithm)
                    await requirements.write(request.requirements)
                self._computation.take_algorithm(
                    algorithm,
                    requirements,
                    kind=next(iter(_values(context, Header.ALGORITHM_KIND)), ""),
                    arguments=_values(context, Header.ALGORITHM_ARGUMENT),
                )
        return AlgoResponse()

    async def Data(  # noqa: N802  # named by the protocol
        self, request_iterator: AsyncIterator[DataRequest], context: _Context
    ) -> DataResponse:
        """Receive a dataset; acts at the end of the stream."""
        async with _answering(context, "Data"):
            await self._admit(context, Role.DATA_PROVIDER, request_iterator)
            filename = ""
            with self._computation.incoming() as dataset:
                async for request in _arriving(request_iterator):
                    await dataset.write(request.dataset)
                    filename = request.filename or filename
                decompress = _values(context, Header.DECOMPRESS) == ("true",)
                await self._computation.take_dataset(dataset, filename, decompress=decompress)
        return DataResponse()

    async def Result(  # noqa: N802  # named by the protocol
        self, request: ResultRequest, context: _Context
    ) -> AsyncIterator[ResultResponse]:
        """Send the result; the first whole download completes the computation."""
        del request
        async with _answering(context, "Result"):
            self._authenticate(context, Role.CONSUMER)
            result = self._computation.result()
            with result.path.open("rb") as file:
                await context.send_initial_metadata(((Header.FILE_SIZE.value, str(result.size_bytes)),))
                while block := await asyncio.to_thread(file.read, _BLOCK_BYTES):
                    for start in range(0, len(block), CHUNK_BYTES):
                        yield ResultResponse(file=block[start : start + CHUNK_BYTES])
            self._computation.note_result_fetched()

    async def IMAMeasurements(  # noqa: N802  # named by the protocol
        self, request: IMAMeasurementsRequest, context: _Context
    ) -> AsyncIterator[IMAMeasurementsResponse]:
        """Send what the VM has run; the list of the machine below is the host's, and none of the VM's."""
        del request
        async with _answering(context, "IMAMeasurements"):
            if self._measurements is None:
                raise Refused(f"{Refusal.NO_IMA_LIST}: this VM keeps no list of its own")
            lines, register = self._measurements.to_bytes(), self._measurements.register
            await context.send_initial_metadata(((Header.FILE_SIZE.value, str(len(lines))),))
            for start in range(0, len(lines), CHUNK_BYTES):
                yield IMAMeasurementsResponse(file=lines[start : start + CHUNK_BYTES], pcr10=register)

    async def AzureAttestationToken(  # noqa: N802  # named by the protocol
        self, request: AttestationTokenRequest, context: _Context
    ) -> AttestationTokenResponse:
        """Refuse: the VM does not run on Azure."""
        async with _answering(context, "AzureAttestationToken"):
            if len(request.tokenNonce) > VTPM_NONCE_BYTES:
                raise Refused(Refusal.VTPM_NONCE_TOO_LONG)
            raise Refused(Refusal.NO_AZURE_TOKEN)

    async def _admit(
        self, context: _Context, role: Role, upload: AsyncIterator[AlgoRequest] | AsyncIterator[DataRequest]
    ) -> None:
        try:
            self._authenticate(context, role)
        except Refused:
            await _discard(upload)
            raise

    def _authenticate(self, context: _Context, role: Role) -> None:
        signatures = _values(context, Header.SIGNATURE)
        if len(signatures) != 1:
            raise Refused(Refusal.BAD_METADATA, is_about_identity=True)
        try:
            signature = base64.b64decode(signatures[0], validate=True)
        except binascii.Error:
            signature = b""
        if not any(verify_role(key, role, signature) for key in self._computation.keys_of(role)):
            raise Refused(Refusal.BAD_SIGNATURE, is_about_identity=True)


async def _arriving(upload: AsyncIterator[_Request]) -> AsyncIterator[_Request]:
    """The pieces of an upload; one that stops coming is given up, for it holds one of the port's calls."""
    while True:
        try:
            async with asyncio.timeout(_STALLED_SECONDS):
                piece = await anext(upload)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            text = f"{Refusal.UPLOAD_STALLED}: nothing came for {_STALLED_SECONDS:g} seconds"
            raise Refused(text) from error
        yield piece


async def _discard(upload: AsyncIterator[AlgoRequest] | AsyncIterator[DataRequest]) -> None:
    """Take in what a refused caller sends, within bounds: `cocos-cli` tells no refusal that comes while it sends."""
    left = _MOST_DISCARDED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARDING_SECONDS):
            async for request in upload:
                left -= request.ByteSize()
                if left < 0:
                    return


@asynccontextmanager
async def _answering(context: _Context, call: str) -> AsyncIterator[None]:
    """Turn what a call meets into the documented codes: refusals are UNKNOWN, identity UNAUTHENTICATED."""
    try:
        yield
    except Refused as error:
        _log.info("call refused", call=call, reason=error.message)
        code = grpc.StatusCode.UNAUTHENTICATED if error.is_about_identity else grpc.StatusCode.UNKNOWN
        await context.abort(code, error.message)
    except OSError as error:
        _log.error("call failed", call=call, reason=error.strerror)
        await context.abort(grpc.StatusCode.INTERNAL, f"the agent's disk failed: {error.strerror}")


def _values(context: _Context, header: Header) -> tuple[str, ...]:
    metadata = context.invocation_metadata() or ()
    return tuple(str(value) for key, value in metadata if key == header)


def _evidence_type(number: int) -> EvidenceType:
    try:
        return EvidenceType(number)
    except ValueError as error:
        raise Refused(Refusal.BAD_EVIDENCE_TYPE) from error
