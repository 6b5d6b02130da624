"""The report of the quoting enclave: an SGX report body.

Source: Intel SDM vol. 3D, REPORT structure; attestation.md section 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

__all__ = ["ENCLAVE_REPORT_BYTES", "EnclaveReport"]

_BODY: Final = Struct("<16sI28x16s32s32x32s96xHH60x64s")
ENCLAVE_REPORT_BYTES: Final = _BODY.size


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport:
    """The fields that a verifier looks at; what lies between them is signed, but not read.

    Attributes:
        cpu_svn: 16 bytes.
        misc_select: 32 bits.
        attributes: 16 bytes.
        mr_enclave: 32 bytes. So is `mr_signer`.
        isv_prod_id: 16 bits. So is `isv_svn`.
        report_data: 64 bytes that the enclave chose.
    """

    cpu_svn: bytes
    misc_select: int
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int
    report_data: bytes

    @classmethod
    def parse(cls, data: bytes) -> EnclaveReport:
        """A report from its 384 bytes (attestation.md section 4.3); their number is the caller's to check."""
        names = cls.__dataclass_fields__
        return cls(**dict(zip(names, _BODY.unpack(data), strict=True)))

    def to_bytes(self) -> bytes:
        """The 384 bytes; zeros lie between the fields (attestation.md section 4.3)."""
        return _BODY.pack(*(getattr(self, name) for name in self.__dataclass_fields__))
