"""Certificates on P-256 as Intel and makers of TPMs issue them; every name says SIMULATED.

Source: attestation.md section 4.4; RFC 5280 §4.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.attestation._simulated_keys import simulated_name

__all__ = ["Issuer", "pem_of"]

_YEARS: Final = timedelta(days=7 * 365)
_CRL_VALIDITY: Final = timedelta(days=90)
_CLOCK_SKEW: Final = timedelta(minutes=10)
_LISTS: Final = "https://simulated.invalid/crl"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A key and its certificate; it issues others when it is an authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def root(cls, common_name: str, *, now: datetime) -> Issuer:
        """A self-signed authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = simulated_name(common_name)
        return cls(_certificate(name, key.public_key(), name, key, now=now, is_authority=True), key)

    def issue(
        self,
        common_name: str,
        *,
        now: datetime,
        is_authority: bool = False,
        key: ec.EllipticCurvePrivateKey | None = None,
        extensions: Iterable[x509.ExtensionType] = (),
    ) -> Issuer:
        """A certificate by this authority, for a fresh key unless one is given."""
        subject_key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(
            simulated_name(common_name),
            subject_key.public_key(),
            self.certificate.subject,
            self.key,
            now=now,
            is_authority=is_authority,
            extensions=extensions,
        )
        return Issuer(certificate, subject_key)

    def revoke(
        self, certificates: Iterable[x509.Certificate], *, now: datetime
    ) -> x509.CertificateRevocationList:
        """This authority's revocation list with these on it, valid for 90 days."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - _CLOCK_SKEW)
            .next_update(now + _CRL_VALIDITY)
        )
        for certificate in certificates:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
        return builder.sign(self.key, SHA256())


def pem_of(certificates: Iterable[x509.Certificate]) -> bytes:
    """Certificates one behind the other, PEM."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
    is_authority: bool,
    extensions: Iterable[x509.ExtensionType] = (),
) -> x509.Certificate:
    begin = now.replace(microsecond=0) - _CLOCK_SKEW
    lists = x509.DistributionPoint([x509.UniformResourceIdentifier(_LISTS)], None, None, None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _YEARS)
    )
    usual: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
        (x509.CRLDistributionPoints([lists]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (_usage(is_authority=is_authority), True),
        (x509.BasicConstraints(ca=is_authority, path_length=None), True),
        *((extension, False) for extension in extensions),
    )
    for extension, is_critical in usual:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(issuer_key, SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=not is_authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
