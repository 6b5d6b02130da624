"""Certificates as files carry them."""

from __future__ import annotations

from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from prism_iac.errors import InvalidInput
from prism_iac.pki._findings import invalid
from prism_iac.pki._form import TO_CERTIFICATE, Form, form_of
from prism_iac.pki._oddities import oddities_forgiven
from prism_iac.pki._pem import parse_pem

__all__ = [
    "common_name_of",
    "extension_of",
    "extensions_of",
    "hash_of",
    "is_authority",
    "is_issued_by",
    "load_certificates",
    "parse_certificate",
    "public_key_of",
]

E = TypeVar("E", bound=x509.ExtensionType)

_LABELS: Final = ("CERTIFICATE", "X509 CERTIFICATE")
"""RFC 7468 §5.1 and §5.3."""

_LONGEST_NAME_SHOWN: Final = 64


def load_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file in order; at least one. Blocks of other kinds are passed over.

    Raises:
        InvalidInput: There is no certificate, or one cannot be read.
    """
    blocks = [block for block in parse_pem(data) if block.label in _LABELS]
    if not blocks:
        raise _no_certificate(form_of(data))
    return tuple(parse_certificate(block.der) for block in blocks)


def _no_certificate(form: Form) -> InvalidInput:
    if form in TO_CERTIFICATE:
        return invalid(
            f"there is no certificate in PEM form here: it is {form}",
            f"Convert it: `{TO_CERTIFICATE[form]}`.",
        )
    return invalid(
        "there is no certificate in PEM form here",
        "Give the file that begins with -----BEGIN CERTIFICATE-----.",
    )


def parse_certificate(der: bytes) -> x509.Certificate:
    """A certificate from DER.

    Raises:
        InvalidInput: It is not one.
    """
    try:
        with oddities_forgiven():
            certificate = x509.load_der_x509_certificate(der)
            for read_later in ("subject", "issuer", "not_valid_before_utc", "not_valid_after_utc"):
                getattr(certificate, read_later)  # the library reads them when they are first asked for
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise invalid("a certificate cannot be read", "Export it again from where it was issued.") from error
    return certificate


def common_name_of(certificate: x509.Certificate) -> str:
    """The subject's common name in quotes, fit for a message: printable and short."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = str(names[0].value) if names else certificate.subject.rfc4514_string()
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return f'"{printable[:_LONGEST_NAME_SHOWN]}"'


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others (RFC 5280 §4.2.1.9)."""
    constraints = extension_of(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def extension_of(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """An extension's value; None when there is none that can be read."""
    try:
        return extensions_of(certificate).get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, InvalidInput):
        return None


def extensions_of(certificate: x509.Certificate) -> x509.Extensions:
    """The extensions.

    Raises:
        InvalidInput: They cannot be read, or one stands there twice.
    """
    try:
        return certificate.extensions
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise invalid("a certificate's extensions cannot be read", "Issue it again.") from error


def public_key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """The certified key; None when it is of a kind that cannot be read."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def hash_of(certificate: x509.Certificate) -> str | None:
    """The hash that its issuer signed, upper case; None where there is none, or none that is known."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name.upper() if algorithm else None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are those that a certificate was signed with."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
