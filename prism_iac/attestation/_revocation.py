"""Whether a certificate's issuer has withdrawn it.

Source: RFC 5280 §6.3.3 as far as lists of one issuer need it; attestation.md sections 2.7, 3.1 (step 10) and
4.4 (step 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from prism_iac.attestation._check import Check, fail, judge, not_asked
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import common_name_of, public_key_of

__all__ = ["check_revocation", "parse_crl"]


def parse_crl(data: bytes) -> x509.CertificateRevocationList:
    """A revocation list from DER or PEM (RFC 5280 §5.1).

    Raises:
        InvalidInput: It is not one.
    """
    try:
        is_pem = data.lstrip().startswith(b"-----BEGIN X509 CRL")
        crl = x509.load_pem_x509_crl(data) if is_pem else x509.load_der_x509_crl(data)
        for read_later in ("issuer", "last_update_utc", "next_update_utc"):
            getattr(crl, read_later)  # the library reads them when they are first asked for
        for _ in crl:
            pass
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise InvalidInput(
            [
                Finding(
                    path="collateral",
                    message="a revocation list cannot be read",
                    fix="Download it again from the issuer of the certificates.",
                )
            ]
        ) from error
    return crl


def check_revocation(
    certificates: Sequence[x509.Certificate],
    issuer: x509.Certificate | None,
    crls: Iterable[x509.CertificateRevocationList],
    *,
    now: datetime,
    is_asked: bool,
) -> Check:
    """One check of certificates of one issuer against its lists (RFC 5280 §6.3.3).

    A list counts when the issuer signed it and it is current. Where nothing was asked, lists at hand still
    count, but none has to be there.
    """
    claim = "revocation" if not certificates else f"revocation of {common_name_of(certificates[0])}"
    current = [crl for crl in crls if issuer is not None and _counts(crl, issuer, now)]
    if not current:
        found = "none at hand"
        expected = "a current revocation list of the issuer"
        return fail(claim, expected, found) if is_asked else not_asked(claim, found)
    listed = [
        certificate
        for certificate in certificates
        for crl in current
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    ]
    found = "listed" if listed else "not listed"
    return judge(claim, "not listed", found, holds=not listed)


def _counts(crl: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime) -> bool:
    key = public_key_of(issuer)
    if crl.issuer != issuer.subject or key is None or crl.next_update_utc is None:
        return False
    if not crl.last_update_utc <= now <= crl.next_update_utc:
        return False
    try:
        return crl.is_signature_valid(key)  # type: ignore[arg-type]  # keys that sign nothing raise TypeError
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
