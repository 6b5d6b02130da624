"""A quote: the report of a trust domain, signed by a quoting enclave that Intel certifies.

Source: Intel TDX DCAP quoting library, quote formats 4 and 5; attestation.md sections 4.1 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, Literal

from prism_iac.attestation._reader import ByteReader
from prism_iac.attestation.tdx._body import BODY_BYTES, BODY_BYTES_1_5, TdReport
from prism_iac.attestation.tdx._enclave import ENCLAVE_REPORT_BYTES, EnclaveReport
from prism_iac.errors import Finding, InvalidInput

__all__ = ["INTEL_QE_VENDOR", "SIMULATED_QE_VENDOR", "TdxQuote", "is_quote"]

INTEL_QE_VENDOR: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
SIMULATED_QE_VENDOR: Final = b"SIMULATED NO HW!"
"""The vendor of quotes that this package makes; no policy for hardware accepts it."""

_HEADER: Final = Struct("<HHIHH16s20s")
_ECDSA_P256: Final = 2
_TEE_TDX: Final = 0x81

# The type of a body and its size, in version 5.
_BODY_HEAD: Final = Struct("<HI")
_BODY_TYPES: Final = {2: BODY_BYTES, 3: BODY_BYTES_1_5}

_U16: Final = Struct("<H")
_CONTRADICTION: Final = "the lengths inside the quote contradict each other"
_U32: Final = Struct("<I")
_CERTIFICATION_HEAD: Final = Struct("<HI")
_QE_REPORT_DATA: Final = 6
_PCK_CHAIN: Final = 5
_POINT_BYTES: Final = 64
_SIZES: Final = {
    "qe_vendor_id": 16,
    "user_data": 20,
    "signature": _POINT_BYTES,
    "attestation_key": _POINT_BYTES,
    "qe_report_bytes": ENCLAVE_REPORT_BYTES,
    "qe_report_signature": _POINT_BYTES,
}
"""The lengths of the parts that are not free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxQuote:
    """Every part of a quote; it proves nothing until it is verified.

    Attributes:
        version: 4 or 5.
        pce_svn: 16 bits of the header. So is `qe_svn`.
        qe_vendor_id: 16 bytes.
        user_data: 20 bytes.
        body: The claims of the trust domain.
        signature: r and s over header and body, 32 bytes each, big-endian.
        attestation_key: x and y of the key that signed it, in the same form.
        qe_report_bytes: The report of the quoting enclave, 384 bytes.
        qe_report_signature: r and s by the PCK key.
        qe_auth_data: What the enclave bound to its key, any length.
        pck_chain: The certificates from the PCK to the root, PEM.
        surplus: What follows the quote; buffers of the driver are often longer.
    """

    version: Literal[4, 5]
    pce_svn: int = 0
    qe_svn: int = 0
    qe_vendor_id: bytes
    user_data: bytes = bytes(20)
    body: TdReport
    signature: bytes = bytes(_POINT_BYTES)
    attestation_key: bytes
    qe_report_bytes: bytes
    qe_report_signature: bytes = bytes(_POINT_BYTES)
    qe_auth_data: bytes
    pck_chain: bytes
    surplus: bytes = b""

    def __post_init__(self) -> None:
        for name, size in _SIZES.items():
            _require(len(getattr(self, name)) == size, f"{name} of the quote has {size} bytes")
        _require(self.version == 5 or not self.body.is_1_5, "version 4 has no fields of TDX 1.5")  # noqa: PLR2004  # the version itself

    @classmethod
    def parse(cls, data: bytes) -> TdxQuote:
        """A quote from its bytes (attestation.md section 4.1).

        Raises:
            InvalidInput: It is cut off, or of a version or kind that is not known here.
        """
        reader = _reader(data)
        version, key_type, tee, pce_svn, qe_svn, vendor, user_data = reader.unpack(_HEADER)
        _require(version in (4, 5), f"quotes of version {version} are not known; 4 and 5 are")
        _require(key_type == _ECDSA_P256, "the quote is not signed with ECDSA on P-256")
        _require(tee == _TEE_TDX, "the quote is not of a trust domain")
        size = BODY_BYTES
        if version == 5:  # noqa: PLR2004  # the version itself
            kind, size = reader.unpack(_BODY_HEAD)
            _require(_BODY_TYPES.get(kind) == size, "the body of the quote is of a kind that is not known")
        body = TdReport.parse(reader.take(size))
        signed = _reader(reader.sized(_U32))
        signature, key = signed.take(_POINT_BYTES), signed.take(_POINT_BYTES)
        certification = _reader(_certification(signed, _QE_REPORT_DATA))
        signed.end(_CONTRADICTION)
        report, report_signature = certification.take(ENCLAVE_REPORT_BYTES), certification.take(_POINT_BYTES)
        auth_data = certification.sized(_U16)
        chain = _certification(certification, _PCK_CHAIN)
        certification.end(_CONTRADICTION)
        return cls(
            version=version,
            pce_svn=pce_svn,
            qe_svn=qe_svn,
            qe_vendor_id=vendor,
            user_data=user_data,
            body=body,
            signature=signature,
            attestation_key=key,
            qe_report_bytes=report,
            qe_report_signature=report_signature,
            qe_auth_data=auth_data,
            pck_chain=chain,
            surplus=reader.rest(),
        )

    def to_bytes(self) -> bytes:
        """The quote, with what follows it (attestation.md section 4.1)."""
        certification = b"".join(
            (
                self.qe_report_bytes,
                self.qe_report_signature,
                _U16.pack(len(self.qe_auth_data)),
                self.qe_auth_data,
                _CERTIFICATION_HEAD.pack(_PCK_CHAIN, len(self.pck_chain)),
                self.pck_chain,
            )
        )
        signed = b"".join(
            (
                self.signature,
                self.attestation_key,
                _CERTIFICATION_HEAD.pack(_QE_REPORT_DATA, len(certification)),
                certification,
            )
        )
        return b"".join((self.signed_bytes(), _U32.pack(len(signed)), signed, self.surplus))

    def signed_bytes(self) -> bytes:
        """What the signature covers: header and body, and in version 5 the body's type and size (section 4.2)."""
        header = _HEADER.pack(
            self.version,
            _ECDSA_P256,
            _TEE_TDX,
            self.pce_svn,
            self.qe_svn,
            self.qe_vendor_id,
            self.user_data,
        )
        body = self.body.to_bytes()
        kinds = {size: kind for kind, size in _BODY_TYPES.items()}
        head = _BODY_HEAD.pack(kinds[len(body)], len(body)) if self.version == 5 else b""  # noqa: PLR2004
        return header + head + body

    @property
    def qe_report(self) -> EnclaveReport:
        """The claims of the quoting enclave."""
        return EnclaveReport.parse(self.qe_report_bytes)


def is_quote(data: bytes) -> bool:
    """Whether bytes begin as a quote of a trust domain does (attestation.md section 4.1)."""
    return len(data) >= _HEADER.size and _HEADER.unpack_from(data)[1:3] == (_ECDSA_P256, _TEE_TDX)


def _reader(data: bytes) -> ByteReader:
    return ByteReader(data, _require, "the quote is cut off")


def _certification(reader: ByteReader, wanted: int) -> bytes:
    kind, size = reader.unpack(_CERTIFICATION_HEAD)
    _require(kind == wanted, f"certification data of type {kind} is not known here; {wanted} is")
    return reader.take(size)


def _require(holds: bool, message: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise InvalidInput([Finding(path="quote", message=message, fix="Fetch the evidence again.")])
