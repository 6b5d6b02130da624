"""Certificate requests: how a key gets a certificate without leaving its machine (PKCS#10, RFC 2986)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.model.resources import Subject
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PrivateKey, PublicKey, digest_for, weakness_of
from prism_iac.pki._pem import parse_pem
from prism_iac.pki._profile import AlternativeNames, distinguished_name

__all__ = ["CertificateRequest", "create_request", "parse_request"]

_LABELS: Final = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
_DER_SEQUENCE: Final = b"\x30"
_AGAIN: Final = "Make it again: `prism-iac certs issue --request`."


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What somebody asks a certificate for; their key has signed it.

    Attributes:
        subject: The whole name, as written.
        names: What the holder is to be reached as.
        key: Strong enough for Prism.
    """

    subject: x509.Name
    names: AlternativeNames
    key: PublicKey


def create_request(
    key: PrivateKey,
    *,
    common_name: str,
    subject: Subject,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
) -> bytes:
    """A request, PEM; it holds no secret. Arguments as in `Authority.issue`.

    Raises:
        InvalidInput: A name does not fit.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(distinguished_name(common_name, subject))
    if general_names := AlternativeNames(dns_names, ip_addresses).general_names():
        builder = builder.add_extension(x509.SubjectAlternativeName(general_names), critical=False)
    return builder.sign(key, digest_for(key)).public_bytes(Encoding.PEM)


def parse_request(data: bytes) -> CertificateRequest:
    """A request from PEM or DER.

    Of the extensions that it asks for, only the alternative names count: the authority decides about the others.

    Raises:
        InvalidInput: It cannot be read, its key did not sign it or is too weak, or it asks for what a leaf
            does not get.
    """
    request = _read(data)
    try:
        key, is_signed = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid("the key of the certificate request cannot be read", _AGAIN) from error
    weakness = weakness_of(key)
    if weakness or not isinstance(key, PublicKey):
        raise invalid(
            f"the certificate request is for {weakness}",
            "Make it for RSA from 2048 bits, P-256, P-384, P-521 or Ed25519.",
        )
    if not is_signed:
        raise invalid("the certificate request is not signed by its own key", _AGAIN)
    return CertificateRequest(request.subject, _names_of(request), key)


def _read(data: bytes) -> x509.CertificateSigningRequest:
    der: bytes | None = data
    if not data.startswith(_DER_SEQUENCE):
        der = next((block.der for block in parse_pem(data) if block.label in _LABELS), None)
    if der is None:
        raise invalid(
            "there is no certificate request here",
            "Give the file that begins with -----BEGIN CERTIFICATE REQUEST-----.",
        )
    try:
        request = x509.load_der_x509_csr(der)
        _ = request.subject  # the library reads it when it is first asked for
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise invalid("the certificate request cannot be read", _AGAIN) from error
    return request


def _names_of(request: x509.CertificateSigningRequest) -> AlternativeNames:
    try:
        wanted = {type(extension.value): extension.value for extension in request.extensions}
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise invalid("the extensions of the certificate request cannot be read", _AGAIN) from error
    constraints, names = wanted.get(x509.BasicConstraints), wanted.get(x509.SubjectAlternativeName)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise invalid("the certificate request asks to be a CA", "Make one for a server or a client.")
    if not isinstance(names, x509.SubjectAlternativeName):
        return AlternativeNames()
    dns_names = names.get_values_for_type(x509.DNSName)
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(dns_names) + len(addresses) + len(uris) != len(list(names)):
        raise invalid(
            "the certificate request asks for names of other kinds than DNS, IP and URI",
            "Make it without them.",
        )
    return AlternativeNames(tuple(dns_names), tuple(addresses), tuple(uris))
