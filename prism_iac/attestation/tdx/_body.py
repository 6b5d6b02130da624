"""The report of a trust domain, as a quote carries it.

Source: Intel TDX DCAP quoting library, TD quote body; attestation.md section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from struct import Struct
from typing import Final

from prism_iac.errors import Finding, InvalidInput

__all__ = ["BODY_BYTES", "BODY_BYTES_1_5", "DEBUG_BIT", "TdReport"]

BODY_BYTES: Final = 584
BODY_BYTES_1_5: Final = 648
"""With the two fields of TDX 1.5 behind it."""

DEBUG_BIT: Final = 1
"""TDATTRIBUTES bit 0: the host may read the domain's memory."""

_BODY: Final = Struct("<16s48s48s8s8s8s48s48s48s48s48s48s48s48s64s")
_EXTRA: Final = Struct("<16s48s")


@dataclass(frozen=True, slots=True, kw_only=True)
class TdReport:
    """Every field, in the order of its bytes; the names are Intel's. Constructing one checks the lengths.

    Attributes:
        tee_tcb_svn: 16 security version numbers.
        mr_seam: 48 bytes, the measurement of the TDX module; then its signer, `mr_signer_seam`.
        td_attributes: 8 bytes, little-endian bits. So are `seam_attributes` and `xfam`.
        mr_td: 48 bytes, the measurement of the domain at its launch.
        mr_config_id: 48 bytes. So are `mr_owner` and `mr_owner_config`.
        rtmr0: 48 bytes, extended while it runs. So are `rtmr1` to `rtmr3`.
        report_data: 64 bytes that the domain chose.
        tee_tcb_svn_2: 16 more, TDX 1.5 alone; else empty. So is `mr_service_td`, 48 bytes.
    """

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes = bytes(48)
    seam_attributes: bytes = bytes(8)
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes = bytes(48)
    mr_owner: bytes = bytes(48)
    mr_owner_config: bytes = bytes(48)
    rtmr0: bytes = bytes(48)
    rtmr1: bytes = bytes(48)
    rtmr2: bytes = bytes(48)
    rtmr3: bytes = bytes(48)
    report_data: bytes
    tee_tcb_svn_2: bytes = b""
    mr_service_td: bytes = b""

    def __post_init__(self) -> None:
        sizes = _SIZES if self.is_1_5 else _SIZES | dict.fromkeys(_EXTRA_NAMES, 0)
        findings = [
            Finding(
                path=f"quote.{name}",
                message=f"has {size} bytes, not {len(getattr(self, name))}",
                fix="Fetch the evidence again.",
            )
            for name, size in sizes.items()
            if len(getattr(self, name)) != size
        ]
        if findings:
            raise InvalidInput(findings)

    @classmethod
    def parse(cls, data: bytes) -> TdReport:
        """A report from its 584 bytes, or 648 of TDX 1.5 (attestation.md section 4.2).

        Raises:
            InvalidInput: The length differs.
        """
        values = dict(zip(_BODY_NAMES, _BODY.unpack(data[:BODY_BYTES].ljust(BODY_BYTES)), strict=True))
        if len(data) == BODY_BYTES_1_5:
            values |= dict(zip(_EXTRA_NAMES, _EXTRA.unpack(data[BODY_BYTES:]), strict=True))
        elif len(data) != BODY_BYTES:
            raise InvalidInput(
                [
                    Finding(
                        path="quote",
                        message=f"the report of a trust domain has {BODY_BYTES} or {BODY_BYTES_1_5} bytes",
                        fix="Fetch the evidence again.",
                    )
                ]
            )
        return cls(**values)

    def to_bytes(self) -> bytes:
        """The 584 or 648 bytes (attestation.md section 4.2)."""
        body = _BODY.pack(*(getattr(self, name) for name in _BODY_NAMES))
        return body + self.tee_tcb_svn_2 + self.mr_service_td

    @property
    def is_1_5(self) -> bool:
        """Whether it has the fields of TDX 1.5."""
        return bool(self.tee_tcb_svn_2 or self.mr_service_td)

    @property
    def rtmrs(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The four registers that are extended while the domain runs."""
        return self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3

    @property
    def is_debuggable(self) -> bool:
        """Whether the host may read the domain's memory."""
        return bool(int.from_bytes(self.td_attributes, "little") & DEBUG_BIT)


_NAMES: Final = tuple(field.name for field in fields(TdReport))
_BODY_NAMES: Final = _NAMES[:-2]
_EXTRA_NAMES: Final = _NAMES[-2:]
_SIZES: Final = {
    name: {"tee_tcb_svn": 16, "tee_tcb_svn_2": 16, "report_data": 64}.get(name, 48) for name in _NAMES
} | {"seam_attributes": 8, "td_attributes": 8, "xfam": 8}
"""The length of every field."""
