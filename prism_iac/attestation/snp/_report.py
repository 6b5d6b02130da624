"""The attestation report of SEV-SNP, to the last bit.

Source: AMD 56860, attestation report structure (table 21 in revision 1.55 and before); attestation.md
sections 2.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from struct import Struct
from typing import Any, Final

from prism_iac.attestation.snp._guest_policy import SigningKey, is_guest_policy, is_signer_info
from prism_iac.attestation.snp._product import Product, product_of_cpuid
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import Finding, InvalidInput

__all__ = ["REPORT_BYTES", "SnpReport"]

REPORT_BYTES: Final = 0x4A0
_SIGNED_BYTES: Final = 0x2A0

# Little-endian; `x` is reserved. The members stand in the order of the fields of `SnpReport`.
_BODY: Final = Struct(
    "<IIQ16s16sII8sQI4x"  # 0x000 version … 0x048 signer_info, reserved
    "64s48s32s48s48s32s32s8s"  # 0x050 report_data … 0x180 reported_tcb
    "BBB21x64s8s"  # 0x188 CPUID, reserved, 0x1A0 chip_id, 0x1E0 committed_tcb
    "BBBxBBBx8sQQ152x"  # 0x1E8 builds and versions, 0x1F0 launch_tcb, mitigations, reserved
)
_SCALAR_BYTES: Final = 72
_SIGNATURE_PADDING: Final = 368

_SIGNATURE_NAMES: Final = ("signature_r", "signature_s")

_VERSIONS: Final = range(2, 6)
_CPUID_SINCE: Final = 3
_VMPLS: Final = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpReport:
    """Every field of a report, in the order of its bytes.

    The field names are AMD's. Constructing one checks it as parsing does.

    Attributes:
        version: 2 to 5.
        policy: Guest policy, 64 bits.
        family_id: 16 bytes.
        image_id: 16 bytes.
        vmpl: 0 to 3.
        signature_algo: 1 is ECDSA P-384 with SHA-384.
        platform_info: 64 bits.
        signer_info: 32 bits.
        report_data: 64 bytes that the guest chose.
        measurement: 48 bytes, the launch measurement.
        host_data: 32 bytes that the host chose.
        id_key_digest: 48 bytes.
        author_key_digest: 48 bytes.
        report_id: 32 bytes.
        report_id_ma: 32 bytes; all 0xFF without a migration agent.
        cpuid_family: Combined; version 3 and later, else 0. So are model and stepping.
        chip_id: 64 bytes; all zero when masked.
        launch_mit_vector: Version 5, else 0. So is `current_mit_vector`.
        signature_r: Below 2^576. So is `signature_s`.
    """

    version: int
    guest_svn: int = 0
    policy: int
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    vmpl: int
    signature_algo: int = 1
    current_tcb: Tcb
    platform_info: int = 0
    signer_info: int = 0
    report_data: bytes
    measurement: bytes
    host_data: bytes = bytes(32)
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    report_id: bytes
    report_id_ma: bytes = b"\xff" * 32
    reported_tcb: Tcb
    cpuid_family: int = 0
    cpuid_model: int = 0
    cpuid_stepping: int = 0
    chip_id: bytes
    committed_tcb: Tcb
    current_build: int = 0
    current_minor: int = 0
    current_major: int = 0
    committed_build: int = 0
    committed_minor: int = 0
    committed_major: int = 0
    launch_tcb: Tcb
    launch_mit_vector: int = 0
    current_mit_vector: int = 0
    signature_r: int = 0
    signature_s: int = 0

    def __post_init__(self) -> None:
        findings = (*self._wrong_sizes(), *self._wrong_values())
        if findings:
            raise InvalidInput(findings)

    @classmethod
    def parse(cls, data: bytes) -> SnpReport:
        """A report from its 1184 bytes (AMD 56860 table 21; section 2.1).

        Raises:
            InvalidInput: The length differs, a reserved bit is set, or a field is out of its range.
        """
        if len(data) != REPORT_BYTES:
            raise InvalidInput(
                [_finding("", f"an SNP report has {REPORT_BYTES} bytes, this has {len(data)}")]
            )
        body, signature = data[:_SIGNED_BYTES], data[_SIGNED_BYTES:]
        values: dict[str, Any] = dict(zip(_BODY_NAMES, _BODY.unpack(body), strict=True))
        values |= {name: Tcb(value) for name, value in values.items() if name.endswith("_tcb")}
        values["signature_r"] = int.from_bytes(signature[:_SCALAR_BYTES], "little")
        values["signature_s"] = int.from_bytes(signature[_SCALAR_BYTES : 2 * _SCALAR_BYTES], "little")
        report = cls(**values)
        if report.to_bytes() != data:
            raise InvalidInput([_finding("", "reserved bytes of the SNP report are not zero")])
        return report

    def to_bytes(self) -> bytes:
        """The 1184 bytes (AMD 56860 table 21; section 2.1)."""
        return b"".join(
            (
                self.signed_bytes(),
                self.signature_r.to_bytes(_SCALAR_BYTES, "little"),
                self.signature_s.to_bytes(_SCALAR_BYTES, "little"),
                bytes(_SIGNATURE_PADDING),
            )
        )

    def signed_bytes(self) -> bytes:
        """The bytes that the signature covers: 0x000 to 0x29F (AMD 56860 table 21; section 2.1)."""
        values = (getattr(self, name) for name in _BODY_NAMES)
        return _BODY.pack(*(value.parts if isinstance(value, Tcb) else value for value in values))

    @property
    def has_cpuid(self) -> bool:
        """Whether it tells the processor that it comes from."""
        return self.version >= _CPUID_SINCE

    @property
    def product(self) -> Product | None:
        """The product that the CPUID tells; None when it tells none, or one that is not known."""
        return product_of_cpuid(self.cpuid_family, self.cpuid_model) if self.has_cpuid else None

    @property
    def signing_key(self) -> SigningKey:
        """Which key signed it."""
        return SigningKey((self.signer_info >> 2) & 7)

    @property
    def author_key_enabled(self) -> bool:
        """Whether the launch was authorised by an author key (SIGNER_INFO bit 0)."""
        return bool(self.signer_info & 1)

    @property
    def current_version(self) -> tuple[int, int]:
        """Major and minor version of the firmware that runs."""
        return self.current_major, self.current_minor

    @property
    def committed_version(self) -> tuple[int, int]:
        """Major and minor version of the firmware that it cannot go back behind."""
        return self.committed_major, self.committed_minor

    def _wrong_sizes(self) -> Iterator[Finding]:
        for name, size in _SIZES.items():
            if len(getattr(self, name)) != size:
                yield _finding(name, f"has {size} bytes, not {len(getattr(self, name))}")
        for name, bits in _BITS.items():
            if not 0 <= getattr(self, name) < 1 << bits:
                yield _finding(name, f"does not fit into {bits} bits")

    def _wrong_values(self) -> Iterator[Finding]:
        if self.version not in _VERSIONS:
            yield _finding("version", f"{self.version} is not known; 2 to 5 are")
        if self.vmpl not in _VMPLS:
            yield _finding("vmpl", f"{self.vmpl} is not a privilege level; 0 to 3 are")
        if not is_guest_policy(self.policy):
            yield _finding("policy", f"{self.policy:#x} lacks bit 17 or has reserved bits")
        if not is_signer_info(self.signer_info):
            yield _finding("signer_info", f"{self.signer_info:#x} names no known key or has reserved bits")
        for first_version, names in _SINCE.items():
            if self.version < first_version and any(getattr(self, name) for name in names):
                yield _finding(names[0], f"is reserved in version {self.version}")


_BODY_NAMES: Final = tuple(field.name for field in fields(SnpReport) if field.name not in _SIGNATURE_NAMES)
"""The fields of the signed part."""

_SIZES: Final = {
    "family_id": 16,
    "image_id": 16,
    "report_data": 64,
    "measurement": 48,
    "host_data": 32,
    "id_key_digest": 48,
    "author_key_digest": 48,
    "report_id": 32,
    "report_id_ma": 32,
    "chip_id": 64,
}
"""The lengths of the fields that are bytes."""

_BITS: Final = {
    "version": 32,
    "guest_svn": 32,
    "policy": 64,
    "vmpl": 32,
    "signature_algo": 32,
    "platform_info": 64,
    "signer_info": 32,
    "cpuid_family": 8,
    "cpuid_model": 8,
    "cpuid_stepping": 8,
    "current_build": 8,
    "current_minor": 8,
    "current_major": 8,
    "committed_build": 8,
    "committed_minor": 8,
    "committed_major": 8,
    "launch_mit_vector": 64,
    "current_mit_vector": 64,
    "signature_r": 8 * _SCALAR_BYTES,
    "signature_s": 8 * _SCALAR_BYTES,
}
"""The widths of the fields that are numbers."""

_SINCE: Final = {
    _CPUID_SINCE: ("cpuid_family", "cpuid_model", "cpuid_stepping"),
    5: ("launch_mit_vector", "current_mit_vector"),
}
"""The first version of the report that has a field."""


def _finding(field: str, message: str) -> Finding:
    return Finding(
        path=f"report.{field}" if field else "report",
        message=message,
        fix="Fetch the evidence again; if it stays, the platform's firmware is not one that is known here.",
    )
