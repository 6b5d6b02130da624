"""A small certificate authority: one self-signed root that signs leaves."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.model.resources import KeySpec, Subject
from prism_iac.pki._certificate import (
    common_name_of,
    extensions_of,
    is_authority,
    is_issued_by,
    load_certificates,
    public_key_of,
)
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PrivateKey, generate_key, load_private_key, private_pem
from prism_iac.pki._ocsp import Revocation, ocsp_response
from prism_iac.pki._profile import (
    AlternativeNames,
    Window,
    distinguished_name,
    leaf_extensions,
    root_extensions,
    window,
)

__all__ = ["Authority", "IssuedCertificate", "SignedCertificate"]

_NO_MORE_PARTS: Final = Subject()

_SERIAL_BITS: Final = 127
"""Serial numbers have up to 39 decimal digits (prism-rest.md section 1.6) and one length."""


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A leaf.

    Attributes:
        certificate_pem: The certificate alone, without its issuer.
        serial: Positive; up to 39 decimal digits.
        not_before: UTC.
        not_after: UTC.
    """

    certificate_pem: bytes
    serial: int
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A leaf with its private key, which is not printed; other fields as in `SignedCertificate`.

    Attributes:
        key_pem: PKCS#8, without a passphrase.
    """

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    serial: int
    not_before: datetime
    not_after: datetime


class Authority:
    """A root certificate and its private key; made by `create` or `load`.

    Safe for use from many threads. Printing one shows its name only.
    """

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    def __repr__(self) -> str:
        return f"Authority({common_name_of(self._certificate)})"

    @classmethod
    def create(
        cls,
        common_name: str,
        *,
        key: KeySpec | PrivateKey,
        now: datetime,
        validity: timedelta,
        subject: Subject = _NO_MORE_PARTS,
    ) -> Authority:
        """A new authority.

        Args:
            common_name: 1 to 64 characters.
            key: What kind of key to make, or the key itself.
            now: The time, aware; the certificate begins ten minutes before it.
            validity: How long from now.
            subject: The other parts of the subject.

        Raises:
            InvalidInput: The name does not fit or the validity is not positive.
        """
        name = distinguished_name(common_name, subject)
        dates = window(now, validity)
        signer = _made(key)
        certificate = _sign(
            subject=name,
            issuer=name,
            key=signer.public_key(),
            serial=_new_serial(),
            dates=dates,
            extensions=root_extensions(signer.public_key()),
            signer=signer,
        )
        return cls(certificate, signer)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes) -> Authority:
        """An authority from its files.

        Raises:
            InvalidInput: A file cannot be read, the certificate is not an authority's, or the key is not its.
        """
        certificate = load_certificates(certificate_pem)[0]
        key = load_private_key(key_pem)
        if not is_authority(certificate):
            raise invalid(
                f"the certificate {common_name_of(certificate)} is not an authority's",
                "Give the certificate of the CA (basicConstraints CA:TRUE).",
            )
        if public_key_of(certificate) != key.public_key():
            raise invalid(
                f"the private key does not belong to the certificate {common_name_of(certificate)}",
                "Give the key that was made with it.",
            )
        return cls(certificate, key)

    @property
    def certificate_pem(self) -> bytes:
        """The root certificate, PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS#8 PEM without a passphrase."""
        return private_pem(self._key)

    @property
    def not_after(self) -> datetime:
        """When the root ends, UTC."""
        return self._certificate.not_valid_after_utc

    def issue(
        self,
        *,
        common_name: str,
        dns_names: Sequence[str] = (),
        ip_addresses: Sequence[str] = (),
        uris: Sequence[str] = (),
        key: KeySpec | PrivateKey,
        now: datetime,
        validity: timedelta,
        subject: Subject = _NO_MORE_PARTS,
    ) -> IssuedCertificate:
        """A leaf for TLS, of the profile of prism-rest.md section 5.2; it ends with the root at the latest.

        Args:
            common_name: CN of the subject, 1 to 64 characters.
            dns_names: Names that it is reached by.
            ip_addresses: Addresses that it is reached by.
            uris: Names of other kinds, such as `urn:prism:cvm:<id>`.
            key: What kind of key to make, or the key itself.
            now: The time, aware; the certificate begins ten minutes before it.
            validity: How long from now.
            subject: The other parts of the subject.

        Raises:
            InvalidInput: A name does not fit, the validity is not positive, or the root has ended.
        """
        name = distinguished_name(common_name, subject)
        dates = window(now, validity, latest_end=self.not_after)
        names = AlternativeNames(dns_names, ip_addresses, uris)
        leaf_key = _made(key)
        certificate = _sign(
            subject=name,
            issuer=self._certificate.subject,
            key=leaf_key.public_key(),
            serial=_new_serial(),
            dates=dates,
            extensions=leaf_extensions(leaf_key.public_key(), self._key.public_key(), names),
            signer=self._key,
        )
        return IssuedCertificate(
            certificate_pem=certificate.public_bytes(Encoding.PEM),
            key_pem=private_pem(leaf_key),
            serial=certificate.serial_number,
            not_before=dates.not_before,
            not_after=dates.not_after,
        )

    def sign_again(self, certificate_pem: bytes, *, now: datetime, validity: timedelta) -> SignedCertificate:
        """The same leaf with other dates: key, names and serial number stay (prism-rest.md D44).

        Raises:
            InvalidInput: The certificate cannot be read or is not of this authority, or as in `issue`.
        """
        old = load_certificates(certificate_pem)[0]
        if not is_issued_by(old, self._certificate):
            raise invalid(
                f"the certificate {common_name_of(old)} was not issued by {common_name_of(self._certificate)}",
                "Renew it where it was issued.",
            )
        dates = window(now, validity, latest_end=self.not_after)
        certificate = _sign(
            subject=old.subject,
            issuer=self._certificate.subject,
            key=old.public_key(),
            serial=old.serial_number,
            dates=dates,
            extensions=((extension.value, extension.critical) for extension in extensions_of(old)),
            signer=self._key,
        )
        return SignedCertificate(
            certificate_pem=certificate.public_bytes(Encoding.PEM),
            serial=certificate.serial_number,
            not_before=dates.not_before,
            not_after=dates.not_after,
        )

    def ocsp_response(
        self, request_der: bytes, status_of: Callable[[int], Revocation | None], now: datetime
    ) -> bytes:
        """The signed answer to an OCSP request, DER (RFC 6960); every request gets one.

        Args:
            request_der: The body of the request.
            status_of: Gives the revocation of a serial number, or None while it is valid; raises
                LookupError for one that was never issued.
            now: The time, aware.
        """
        return ocsp_response(
            request_der,
            issuer=self._certificate,
            key=self._key,
            digest=_digest_for(self._key),
            status_of=status_of,
            now=now,
        )


def _made(key: KeySpec | PrivateKey) -> PrivateKey:
    return generate_key(key) if isinstance(key, KeySpec) else key


def _new_serial() -> int:
    return (1 << (_SERIAL_BITS - 1)) | secrets.randbits(_SERIAL_BITS - 1)


def _digest_for(key: PrivateKey) -> SHA256 | SHA384 | SHA512 | None:
    match key:
        case ed25519.Ed25519PrivateKey():
            return None  # it hashes by itself
        case ec.EllipticCurvePrivateKey(key_size=384):
            return SHA384()
        case ec.EllipticCurvePrivateKey(key_size=521):
            return SHA512()
        case _:
            return SHA256()


def _sign(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    serial: int,
    dates: Window,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    signer: PrivateKey,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(dates.not_before)
        .not_valid_after(dates.not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, _digest_for(signer))
