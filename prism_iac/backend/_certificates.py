"""The instance's certificate authority, and the certificates of CVMs and of the control stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prism_iac.backend._files import write_private, write_public

if TYPE_CHECKING:
    from prism_iac.pki import Authority, IssuedCertificate, Revocation, SignedCertificate

__all__ = ["CertificateOffice", "cvm_uri"]

BIRTH_VALIDITY: Final = timedelta(days=365)
"""How long the certificate that a CVM is born with lasts."""

VALIDITY: Final = timedelta(days=30)
"""How long an issued or renewed certificate lasts (D44)."""

_AUTHORITY_VALIDITY: Final = timedelta(days=3650)


def cvm_uri(cvm_id: str) -> str:
    """The name of a CVM in its certificates (SAN URI)."""
    return f"urn:prism:cvm:{cvm_id}"


class CertificateOffice:
    """Issues certificates under the authority that is kept in a folder; made there at the first need."""

    def __init__(self, folder: Path) -> None:
        """Use `ca.pem` and `ca-key.pem` of this folder."""
        self._certificate_file = folder / "ca.pem"
        self._key_file = folder / "ca-key.pem"

    def prepare(self, *, now: datetime) -> None:
        """Make the authority where there is none; the key (mode 0600) is written before the certificate."""
        if self._certificate_file.exists():
            return
        from prism_iac.model.resources import KeyAlgorithm, KeySpec
        from prism_iac.pki import Authority

        authority = Authority.create(
            "Prism embedded CA",
            key=KeySpec(algorithm=KeyAlgorithm.ECDSA),
            now=now,
            validity=_AUTHORITY_VALIDITY,
        )
        write_private(self._key_file, authority.key_pem)
        write_public(self._certificate_file, authority.certificate_pem)

    @cached_property
    def _authority(self) -> Authority:
        from prism_iac.pki import Authority

        return Authority.load(self._certificate_file.read_bytes(), self._key_file.read_bytes())

    @cached_property
    def ca_pem(self) -> bytes:
        """The authority's certificate, PEM."""
        return self._certificate_file.read_bytes()

    def issue_for_cvm(
        self,
        cvm_id: str,
        *,
        now: datetime,
        validity: timedelta = VALIDITY,
        ip_addresses: Sequence[str] = (),
    ) -> IssuedCertificate:
        """A certificate by which a CVM's agent is known, with its private key."""
        from prism_iac.model.resources import KeyAlgorithm, KeySpec

        return self._authority.issue(
            common_name=cvm_id,
            uris=(cvm_uri(cvm_id),),
            ip_addresses=ip_addresses,
            key=KeySpec(algorithm=KeyAlgorithm.ECDSA),
            now=now,
            validity=validity,
        )

    def issue_for_server(self, names: Sequence[str], *, now: datetime) -> IssuedCertificate:
        """A certificate for the control stream that is valid as long as the authority.

        Args:
            names: Host names and IP addresses that agents dial.
            now: The time.
        """
        from prism_iac.model.resources import KeyAlgorithm, KeySpec

        addresses = [name for name in names if _is_ip_address(name)]
        return self._authority.issue(
            common_name="Prism control stream",
            dns_names=[name for name in names if name not in addresses],
            ip_addresses=addresses,
            key=KeySpec(algorithm=KeyAlgorithm.ECDSA),
            now=now,
            validity=_AUTHORITY_VALIDITY,
        )

    def renew(self, certificate_pem: str, *, now: datetime) -> SignedCertificate:
        """The same certificate with a later end (D44)."""
        return self._authority.sign_again(certificate_pem.encode(), now=now, validity=VALIDITY)

    def answer_ocsp(
        self, request: bytes, status_of: Callable[[int], Revocation | None], *, now: datetime
    ) -> bytes:
        """The signed answer to an OCSP request, DER; `status_of` as in `Authority.ocsp_response`."""
        return self._authority.ocsp_response(request, status_of, now)


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
