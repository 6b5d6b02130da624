"""A small certificate authority: a self-signed root, or an intermediate below one, that signs leaves."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.model.resources import KeySpec, Subject
from prism_iac.pki._certificate import (
    common_name_of,
    extension_of,
    extensions_of,
    is_authority,
    is_issued_by,
    load_certificates,
    public_key_of,
)
from prism_iac.pki._constraints import forbidden_names
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PrivateKey, PublicKey, digest_for, generate_key, load_private_key, private_pem
from prism_iac.pki._ocsp import Revocation, ocsp_response
from prism_iac.pki._profile import (
    NO_MORE_PARTS,
    AlternativeNames,
    Permitted,
    Window,
    authority_extensions,
    distinguished_name,
    leaf_extensions,
    window,
)
from prism_iac.pki._request import CertificateRequest

__all__ = ["Authority", "IssuedCertificate", "SignedCertificate"]

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
    """A CA's certificate and its private key; made by `create`, `create_below` or `load`.

    Safe for use from many threads. Printing one shows its name only.
    """

    def __init__(
        self, certificate: x509.Certificate, key: PrivateKey, issuers: Sequence[x509.Certificate] = ()
    ) -> None:
        """See `create`, `create_below` and `load`.

        Args:
            certificate: Its own.
            key: That of the certificate.
            issuers: Who signed it, then who signed that one, the root last; none for a root.
        """
        self._certificate = certificate
        self._key = key
        self._issuers = tuple(issuers)

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
        subject: Subject = NO_MORE_PARTS,
        path_length: int = 0,
        permitted: Permitted | None = None,
    ) -> Authority:
        """A new root.

        Args:
            common_name: 1 to 64 characters.
            key: What kind of key to make, or the key itself.
            now: The time, aware; the certificate begins ten minutes before it.
            validity: How long from now.
            subject: The other parts of the subject.
            path_length: How many authorities may follow below it, one under the other.
            permitted: The only names that it may certify; None for any.

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
            extensions=authority_extensions(
                signer.public_key(), path_length=path_length, permitted=permitted
            ),
            signer=signer,
        )
        return cls(certificate, signer)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes, *, passphrase: bytes | None = None) -> Authority:
        """An authority from its files.

        Args:
            certificate_pem: Its certificate; for an intermediate then those who signed it, in order.
            key_pem: As `load_private_key` takes it.
            passphrase: What opens the key.

        Raises:
            InvalidInput: A file cannot be read, the certificate is not an authority's, or the key is not its.
        """
        certificate, *others = load_certificates(certificate_pem)
        key = load_private_key(key_pem, passphrase)
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
        return cls(certificate, key, _issuers_in(certificate, others))

    def create_below(
        self,
        common_name: str,
        *,
        key: KeySpec | PrivateKey,
        now: datetime,
        validity: timedelta,
        subject: Subject = NO_MORE_PARTS,
        permitted: Permitted | None = None,
    ) -> Authority:
        """A new intermediate, signed by this authority; it ends with it at the latest. Arguments as in `create`.

        Raises:
            InvalidInput: This one may have no authority below it, or as in `create`.
        """
        room = self.path_length
        if room == 0:
            raise invalid(
                f"the authority {common_name_of(self._certificate)} may have no other below it",
                "Make it with a path length of at least 1.",
            )
        signer = _made(key)
        certificate = _sign(
            subject=distinguished_name(common_name, subject),
            issuer=self._certificate.subject,
            key=signer.public_key(),
            serial=_new_serial(),
            dates=window(now, validity, latest_end=self.not_after),
            extensions=authority_extensions(
                signer.public_key(),
                issuer=self._key.public_key(),
                path_length=room - 1 if room else 0,
                permitted=permitted,
            ),
            signer=self._key,
        )
        return Authority(certificate, signer, [self._certificate, *self._issuers])

    @property
    def path_length(self) -> int | None:
        """How many authorities may follow below it, one under the other; None for any number."""
        constraints = extension_of(self._certificate, x509.BasicConstraints)
        return constraints.path_length if constraints else 0

    @property
    def certificate_pem(self) -> bytes:
        """Its own certificate, PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    @property
    def root_pem(self) -> bytes:
        """The certificate that peers trust, PEM: the last of its issuers, or its own."""
        return (self._certificate, *self._issuers)[-1].public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """What its leaves show after their own certificate, PEM: all up to the root; empty for a root."""
        return b"".join(item.public_bytes(Encoding.PEM) for item in (self._certificate, *self._issuers)[:-1])

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS#8 PEM without a passphrase."""
        return private_pem(self._key)

    @property
    def not_after(self) -> datetime:
        """When its certificate ends, UTC."""
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
        subject: Subject = NO_MORE_PARTS,
    ) -> IssuedCertificate:
        """A leaf for TLS, of the profile of prism-rest.md section 5.2; it ends with the CA at the latest.

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
            InvalidInput: A name does not fit or is not permitted, the validity is not positive, or the CA has
                ended.
        """
        names = AlternativeNames(dns_names, ip_addresses, uris)
        leaf_key = _made(key)
        signed = self._leaf(
            distinguished_name(common_name, subject), names, leaf_key.public_key(), now=now, validity=validity
        )
        return IssuedCertificate(
            certificate_pem=signed.certificate_pem,
            key_pem=private_pem(leaf_key),
            serial=signed.serial,
            not_before=signed.not_before,
            not_after=signed.not_after,
        )

    def sign_request(
        self, request: CertificateRequest, *, now: datetime, validity: timedelta
    ) -> SignedCertificate:
        """A leaf for a key that stays where it is: subject, names and key of the request, profile as in `issue`.

        Args:
            request: What was asked for; `parse_request` has seen that its sender has the key.
            now: The time, aware; the certificate begins ten minutes before it.
            validity: How long from now.

        Raises:
            InvalidInput: A name is not permitted, the validity is not positive, or the CA has ended.
        """
        return self._leaf(request.subject, request.names, request.key, now=now, validity=validity)

    def _leaf(
        self,
        subject: x509.Name,
        names: AlternativeNames,
        key: PublicKey,
        *,
        now: datetime,
        validity: timedelta,
    ) -> SignedCertificate:
        self._require_permitted(names)
        if not names.general_names() and self._is_constrained:
            # BoringSSL, and so gRPC, refuses a leaf without alternative names below a CA with name constraints.
            names = AlternativeNames(uris=(f"urn:prism:client:{quote(subject.rfc4514_string(), safe='')}",))
        certificate = _sign(
            subject=subject,
            issuer=self._certificate.subject,
            key=key,
            serial=_new_serial(),
            dates=window(now, validity, latest_end=self.not_after),
            extensions=leaf_extensions(key, self._key.public_key(), names),
            signer=self._key,
        )
        return _signed(certificate)

    @property
    def _is_constrained(self) -> bool:
        above = (self._certificate, *self._issuers)
        return any(extension_of(item, x509.NameConstraints) is not None for item in above)

    def _require_permitted(self, names: AlternativeNames) -> None:
        for authority in (self._certificate, *self._issuers):
            forbidden = forbidden_names(names.general_names(), authority)
            if forbidden:
                raise invalid(
                    f"the authority {common_name_of(authority)} may not certify {', '.join(forbidden)}",
                    "Leave that name out, or ask an authority that may.",
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
        return _signed(certificate)

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
            digest=digest_for(self._key),
            status_of=status_of,
            now=now,
        )


def _issuers_in(
    certificate: x509.Certificate, others: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    issuers: list[x509.Certificate] = []
    current = certificate
    while not is_issued_by(current, current):
        issuer = next((item for item in others if is_issued_by(current, item)), None)
        if issuer is None or issuer in issuers:
            break
        issuers.append(issuer)
        current = issuer
    return tuple(issuers)


def _signed(certificate: x509.Certificate) -> SignedCertificate:
    return SignedCertificate(
        certificate_pem=certificate.public_bytes(Encoding.PEM),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _made(key: KeySpec | PrivateKey) -> PrivateKey:
    return generate_key(key) if isinstance(key, KeySpec) else key


def _new_serial() -> int:
    return (1 << (_SERIAL_BITS - 1)) | secrets.randbits(_SERIAL_BITS - 1)


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
    return builder.sign(signer, digest_for(signer))
