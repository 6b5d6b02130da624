"""What a relying party has at hand besides the evidence: certificates, revocation lists, Intel's documents.

Source: attestation.md sections 2.7 and 4.4 for where each comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from cryptography import x509

from prism_iac.attestation._revocation import parse_crl
from prism_iac.attestation.tdx._documents import QeIdentity, Signed, TcbInfo, parse_document
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import load_certificates, parse_certificate

__all__ = ["Collateral"]


@dataclass(frozen=True, slots=True)
class Collateral:
    """None of it is trusted: each part counts as far as a root signed it.

    Attributes:
        certificates: Those of chip keys and of issuers that the evidence lacks.
        crls: Revocation lists.
        tcb_infos: Of Intel's platforms.
        qe_identities: Of Intel's quoting enclaves.
    """

    certificates: Sequence[x509.Certificate] = ()
    crls: Sequence[x509.CertificateRevocationList] = ()
    tcb_infos: Sequence[Signed[TcbInfo]] = ()
    qe_identities: Sequence[Signed[QeIdentity]] = ()

    @classmethod
    def load(cls, folder: Path) -> Collateral:
        """All that lies in a folder; a file is known by what is in it, whatever its name.

        Certificates and revocation lists are PEM or DER, TCB info and enclave identities are the answers of
        Intel's service (attestation.md sections 2.7 and 4.4).

        Raises:
            InvalidInput: A file is none of these; with every one.
            OSError: The folder cannot be read.
        """
        found, findings = cls(), []
        for file in sorted(folder.iterdir()):
            if file.is_dir():
                continue
            try:
                found = found.with_all_of(cls.parse(file.read_bytes()))
            except InvalidInput as error:
                findings += [replace(finding, path=str(file)) for finding in error.findings]
        if findings:
            raise InvalidInput(findings)
        return found

    @classmethod
    def parse(cls, data: bytes) -> Collateral:
        """What one file holds (attestation.md sections 2.7 and 4.4).

        Raises:
            InvalidInput: It is none of what collateral consists of.
        """
        for read in _READERS:
            try:
                return read(data)
            except InvalidInput:
                continue
        raise InvalidInput(
            [
                Finding(
                    path="collateral",
                    message="this is neither a certificate, nor a revocation list, nor a document of Intel's",
                    fix="Remove it, or download it again.",
                )
            ]
        )

    def with_all_of(self, other: Collateral) -> Collateral:
        """What either has."""
        return Collateral(
            *((*getattr(self, part.name), *getattr(other, part.name)) for part in fields(Collateral))
        )


def _document(data: bytes) -> Collateral:
    document = parse_document(data)
    raw, signature = document.raw, document.signature
    if isinstance(document.value, TcbInfo):
        return Collateral(tcb_infos=(Signed(document.value, raw, signature),))
    return Collateral(qe_identities=(Signed(document.value, raw, signature),))


_READERS: Final[tuple[Callable[[bytes], Collateral], ...]] = (
    lambda data: Collateral(certificates=load_certificates(data)),
    lambda data: Collateral(crls=(parse_crl(data),)),
    lambda data: Collateral(certificates=(parse_certificate(data),)),
    _document,
)
