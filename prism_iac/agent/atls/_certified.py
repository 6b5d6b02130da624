"""The older generation: evidence in the certificate of the handshake.

The client's nonce is the name that it asks for (SNI), and the server makes a key and a certificate for it. The
evidence holds a hash of both, so that it counts for whoever has that key, and for that nonce alone.
Source: cocos-grpc.md section 9.2.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from prism_iac.attestation import Nonce
from prism_iac.errors import InvalidInput
from prism_iac.pki import extensions_of

__all__ = ["NONCE_BYTES", "certify", "evidence_in", "name_of", "nonce_for", "nonce_in"]

NONCE_BYTES: Final = 64
_SUFFIX: Final = ".nonce"

_SNP_VTPM: Final = x509.ObjectIdentifier("2.99999.1.0")
_TDX: Final = x509.ObjectIdentifier("2.99999.1.2")

_SUBJECT: Final = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "prism-iac"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "prism-iac agent"),
    ]
)
_VALIDITY: Final = timedelta(days=365)
_CLOCK_SKEW: Final = timedelta(minutes=10)


def name_of(nonce: bytes) -> bytes:
    """The name that a client with a nonce asks for."""
    return f"{nonce.hex()}{_SUFFIX}".encode()


def nonce_in(name: bytes | None) -> bytes | None:
    """The nonce in the name that a client asks for; None when it is another name."""
    text = (name or b"").decode("ascii", errors="replace")
    try:
        nonce = bytes.fromhex(text.removesuffix(_SUFFIX))
    except ValueError:
        return None
    return nonce if text == name_of(nonce).decode() and len(nonce) == NONCE_BYTES else None


def nonce_for(key_der: bytes, nonce: bytes) -> Nonce:
    """What the evidence must hold: a hash of the certified key, SubjectPublicKeyInfo, and of the client's nonce."""
    return Nonce.of(hashlib.sha3_512(key_der + nonce).digest())


def certify(key: ec.EllipticCurvePrivateKey, evidence: bytes, *, now: datetime) -> x509.Certificate:
    """A self-signed certificate with evidence in it.

    Args:
        key: On P-256, made for one handshake.
        evidence: A message of go-tpm-tools.
        now: The time, aware.
    """
    return (
        x509.CertificateBuilder()
        .subject_name(_SUBJECT)
        .issuer_name(_SUBJECT)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.UnrecognizedExtension(_SNP_VTPM, evidence), critical=False)
        .sign(key, SHA256())
    )


def evidence_in(certificate: x509.Certificate) -> bytes | None:
    """The evidence in a certificate; None when there is none that is known here.

    Raises:
        ValueError: Its extensions cannot be read.
    """
    try:
        for extension in extensions_of(certificate):
            if extension.oid in (_SNP_VTPM, _TDX) and isinstance(extension.value, x509.UnrecognizedExtension):
                return extension.value.value
    except InvalidInput as error:
        raise ValueError("its extensions cannot be read") from error
    return None
