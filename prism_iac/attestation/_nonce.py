"""What a relying party sends, and where evidence must hold it.

Source: cocos-grpc.md section 8.3, "Derivation".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from prism_iac.errors import Finding, InvalidInput

__all__ = ["Nonce"]

_TEE_BYTES: Final = 64
_TPM_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Nonce:
    """The bytes that fresh evidence answers.

    Attributes:
        tee: 64 bytes for the report or the quote.
        tpm: For the TPM, as it was sent.
    """

    tee: bytes
    tpm: bytes

    @classmethod
    def of(cls, sent: bytes, tpm: bytes | None = None) -> Nonce:
        """The nonce that was sent (cocos-grpc.md section 8.3).

        Args:
            sent: 1 to 64 bytes, filled up with zeros as agents do.
            tpm: 1 to 32 bytes, where the TPM was sent others than the first 32 of these; as they are.

        Raises:
            InvalidInput: One is empty or too long.
        """
        for name, value, most in (("nonce", sent, _TEE_BYTES), ("vtpm_nonce", tpm, _TPM_BYTES)):
            if value is not None and not 0 < len(value) <= most:
                raise InvalidInput(
                    [
                        Finding(
                            path=name,
                            message=f"has 1 to {most} bytes, not {len(value)}",
                            fix="Give the bytes that the agent was sent.",
                        )
                    ]
                )
        tee = sent.ljust(_TEE_BYTES, b"\0")
        return cls(tee, tee[:_TPM_BYTES] if tpm is None else tpm)

    def report_data_with(self, ak_public: bytes) -> bytes:
        """The report data of a VM that has bound a TPM's key to it (attestation.md section 5.5)."""
        return hashlib.sha3_512(self.tee + ak_public).digest()
