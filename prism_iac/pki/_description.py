"""What a certificate says, in words that people and scripts read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from prism_iac.pki._certificate import extension_of, hash_of, is_authority, public_key_of

__all__ = ["CertificateDescription", "describe_certificate"]

_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
"""The names of OpenSSL, as recipes write them."""

_PURPOSES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}


@dataclass(frozen=True, slots=True)
class CertificateDescription:
    """One certificate; foreign text in it is as it was written.

    Attributes:
        subject: RFC 4514, the last part first.
        issuer: RFC 4514, too.
        serial: Decimal.
        not_before: UTC.
        not_after: UTC.
        key: Such as `RSA 4096`, `P-256` or `Ed25519`.
        signature: The hash that its issuer signed, such as `SHA256`; None where the issuer's key hashes by itself.
        is_authority: It may sign others.
        path_length: How many authorities may follow below it; None for any number, and for a leaf.
        usages: The key usage, and the extended one, in OpenSSL's words.
        dns_names: In its subjectAltName.
        ip_addresses: In its subjectAltName.
        uris: In its subjectAltName.
        permitted: The only names that it may certify; empty for any.
        sha256: The fingerprint, hexadecimal.
    """

    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    key: str
    signature: str | None
    is_authority: bool
    path_length: int | None
    usages: tuple[str, ...]
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    uris: tuple[str, ...]
    permitted: tuple[str, ...]
    sha256: str


def describe_certificate(certificate: x509.Certificate) -> CertificateDescription:
    """What a certificate says; an extension that cannot be read counts as missing."""
    names = extension_of(certificate, x509.SubjectAlternativeName) or x509.SubjectAlternativeName([])
    basic = extension_of(certificate, x509.BasicConstraints)
    constraints = extension_of(certificate, x509.NameConstraints)
    return CertificateDescription(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=_key_of(certificate),
        signature=hash_of(certificate),
        is_authority=is_authority(certificate),
        path_length=basic.path_length if basic else None,
        usages=(*_usages_of(certificate), *_purposes_of(certificate)),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        ip_addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
        permitted=tuple(
            str(name.value) for name in (constraints.permitted_subtrees if constraints else None) or ()
        ),
        sha256=certificate.fingerprint(SHA256()).hex(),
    )


def _key_of(certificate: x509.Certificate) -> str:
    match public_key_of(certificate):
        case rsa.RSAPublicKey(key_size=bits):
            return f"RSA {bits}"
        case ec.EllipticCurvePublicKey(curve=curve):
            return {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(
                curve.name, curve.name
            )
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case _:
            return "of another kind"


def _usages_of(certificate: x509.Certificate) -> tuple[str, ...]:
    usage = extension_of(certificate, x509.KeyUsage)
    return tuple(name for field, name in _USAGES.items() if usage is not None and getattr(usage, field))


def _purposes_of(certificate: x509.Certificate) -> tuple[str, ...]:
    purposes = extension_of(certificate, x509.ExtendedKeyUsage)
    return tuple(_PURPOSES.get(oid, oid.dotted_string) for oid in purposes or ())
