"""Evidence: a report, and the endorsements that lead from its key to the root.

Source: attestation.md section 2.6 (the certificate table of an extended report) and 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct
from typing import Final
from uuid import UUID

from cryptography import x509

from prism_iac.attestation._revocation import parse_crl
from prism_iac.attestation.snp._report import REPORT_BYTES, SnpReport
from prism_iac.errors import Finding, InvalidInput

__all__ = ["Endorser", "Evidence"]

# Unlike every other GUID of the platform, these are stored in the order of their text.
_ENTRY: Final = Struct("<16sII")
_NO_GUID: Final = bytes(16)


class Endorser(Enum):
    """What travels with a report to endorse it, by its GUID: certificates, and a revocation list."""

    VCEK = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
    VLEK = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
    ASK = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")
    ARK = UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
    CRL = UUID("92f81bc3-5811-4d3d-97ff-d19f88dc67ea")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A report with the certificates that came with it; they prove nothing until they are verified.

    Attributes:
        report: The claims.
        certificates: DER, by endorser; any may be absent. Kinds that are not known here are dropped.
    """

    report: SnpReport
    certificates: Mapping[Endorser, bytes] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, data: bytes) -> Evidence:
        """Evidence from a report alone, 1184 bytes, or with its certificate table behind it (section 2.6).

        Raises:
            InvalidInput: The report is not one, or the table points beyond its end.
        """
        report = SnpReport.parse(data[:REPORT_BYTES])
        return cls(report, dict(_parse_table(data[REPORT_BYTES:])))

    def crls(self) -> tuple[x509.CertificateRevocationList, ...]:
        """The revocation list that came with it, if there is one that can be read (section 2.6)."""
        try:
            return (parse_crl(self.certificates[Endorser.CRL]),)
        except (KeyError, InvalidInput):
            return ()

    def to_bytes(self) -> bytes:
        """The report, and its certificate table when there are certificates (attestation.md section 2.6)."""
        if not self.certificates:
            return self.report.to_bytes()
        offset = _ENTRY.size * (len(self.certificates) + 1)
        entries = []
        for endorser, certificate in self.certificates.items():
            entries.append(_ENTRY.pack(endorser.value.bytes, offset, len(certificate)))
            offset += len(certificate)
        end = bytes(_ENTRY.size)
        return b"".join((self.report.to_bytes(), *entries, end, *self.certificates.values()))


def _parse_table(table: bytes) -> Iterator[tuple[Endorser, bytes]]:
    unseen = {endorser.value.bytes: endorser for endorser in Endorser}
    known = frozenset(unseen)
    position = 0
    while table:
        entry = table[position : position + _ENTRY.size]
        if len(entry) < _ENTRY.size:
            raise _malformed("the certificate table of the evidence has no end")
        guid, offset, length = _ENTRY.unpack(entry)
        if guid == _NO_GUID:
            return
        if offset + length > len(table):
            raise _malformed("a certificate of the evidence lies beyond its end")
        if guid in known:
            if guid not in unseen:
                raise _malformed("a certificate of the evidence stands there twice")
            yield unseen.pop(guid), table[offset : offset + length]
        position += _ENTRY.size


def _malformed(message: str) -> InvalidInput:
    return InvalidInput([Finding(path="evidence", message=message, fix="Fetch the evidence again.")])
