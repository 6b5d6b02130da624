"""The words that an agent and its participants share on the wire.

Source: cocos-grpc.md sections 2.1 (metadata), 2.2 (chunks), 2.4 (refusals), 3 (roles), 8.1 (platforms).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

__all__ = [
    "CHUNK_BYTES",
    "HEALTH_SERVICE",
    "TEE_NONCE_BYTES",
    "UNBOUND_NONCE_BYTES",
    "VTPM_NONCE_BYTES",
    "AlgorithmKind",
    "EvidenceType",
    "Header",
    "Refusal",
    "Role",
]

CHUNK_BYTES: Final = 1 << 20
HEALTH_SERVICE: Final = "agent"
TEE_NONCE_BYTES: Final = 64
VTPM_NONCE_BYTES: Final = 32
UNBOUND_NONCE_BYTES: Final = 32
"""What a TEE nonce may have, besides zeros, on a port whose connections carry evidence themselves."""


class Role(StrEnum):
    """What a participant signs to be let in."""

    ALGORITHM_PROVIDER = "algorithm-provider"
    DATA_PROVIDER = "data-provider"
    CONSUMER = "consumer"


class AlgorithmKind(StrEnum):
    """How an uploaded algorithm is run."""

    BIN = "bin"
    PYTHON = "python"
    WASM = "wasm"
    DOCKER = "docker"


class EvidenceType(IntEnum):
    """What evidence an `Attestation` call asks for."""

    SNP = 0
    VTPM = 1
    SNP_VTPM = 2
    AZURE = 3
    TDX = 4


class Header(StrEnum):
    """Metadata keys."""

    USER_ID = "user-id"
    SIGNATURE = "signature"
    ALGORITHM_KIND = "algo_type"
    ALGORITHM_ARGUMENT = "algo_args"
    DECOMPRESS = "decompress"
    FILE_SIZE = "file-size"
    JOB_ID = "job-id"
    AGENT_ADDRESS = "agent-address"


class Refusal(StrEnum):
    """The texts of an agent's refusals."""

    BAD_SIGNATURE = "signature verification failed"
    BAD_METADATA = "rpc error: code = Unauthenticated desc = invalid metadata : invalid metadata"
    ALGORITHM_EMPTY = "algorithm binary is required"
    DATASET_EMPTY = "dataset is required"
    NOT_EXPECTED = "agent not expecting this operation in the current state"
    HASH_DIFFERS = "malformed data, hash does not match manifest"
    DATASET_UNDECLARED = "dataset not declared in computation manifest"
    UPLOAD_TOO_LARGE = "the upload is too large"
    UPLOAD_STALLED = "the upload stopped coming"
    DATASET_NOT_UNPACKED = "error decompressing dataset"
    NOT_READY = "computation results are not yet ready"
    TEE_NONCE_TOO_LONG = "malformed report data, expect less or equal to 64 bytes"
    TEE_NONCE_COULD_BE_A_BINDING = "malformed report data, expect less or equal to 32 bytes with attested TLS"
    VTPM_NONCE_TOO_LONG = "malformed vTPM nonce, expect less or equal to 32 bytes"
    BAD_EVIDENCE_TYPE = "invalid attestation type"
    NO_EVIDENCE = "failed to get raw quote"
    NO_IMA_LIST = "error reading Linux IMA measurements file"
    NO_AZURE_TOKEN = "attestation type does not exist or is not supported"  # noqa: S105  # a message, not a token
