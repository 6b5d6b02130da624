"""Asks about a certificate's status, and reads the answer.

The checks of an answer, in order: (1) it is one; (2) its issuer signed it, or somebody whom the issuer allowed to;
(3) it is about this certificate; (4) it is fresh. Not used: nonces, which many responders leave out.

Source: RFC 6960 §2.1, §2.2, §3.2 and §4.2.2.2.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from prism_iac.errors import InvalidInput
from prism_iac.pki._certificate import (
    common_name_of,
    extension_of,
    is_issued_by,
    load_certificates,
    public_key_of,
)
from prism_iac.pki._findings import invalid

__all__ = ["Standing", "create_ocsp_request", "read_ocsp_response"]

_CLOCK_SKEW: Final = timedelta(minutes=10)


class Standing(StrEnum):
    """What an issuer says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


_STANDINGS: Final = {
    ocsp.OCSPCertStatus.GOOD: Standing.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Standing.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Standing.UNKNOWN,
}


def create_ocsp_request(certificate_pem: bytes, ca_pem: bytes) -> bytes:
    """The question about a certificate, DER.

    Args:
        certificate_pem: It, first in the file.
        ca_pem: CAs, one of which issued it.

    Raises:
        InvalidInput: None of them did.
    """
    certificate, issuer = _pair(certificate_pem, ca_pem)
    return _request(certificate, issuer).public_bytes(Encoding.DER)


def read_ocsp_response(
    response_der: bytes, certificate_pem: bytes, ca_pem: bytes, *, now: datetime
) -> Standing:
    """What a responder says of a certificate.

    Args:
        response_der: The answer, of anybody.
        certificate_pem: The certificate that was asked about, first in the file.
        ca_pem: CAs, one of which issued it.
        now: The time, aware.

    Raises:
        InvalidInput: It is no answer to that question that can be relied on.
    """
    certificate, issuer = _pair(certificate_pem, ca_pem)
    try:
        response = ocsp.load_der_ocsp_response(response_der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise _unusable(f"says {response.response_status.name.lower().replace('_', ' ')}")
        _verify_signature(response, issuer, now)
        return _standing(response, _request(certificate, issuer), now)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable("cannot be read") from error


def _pair(certificate_pem: bytes, ca_pem: bytes) -> tuple[x509.Certificate, x509.Certificate]:
    certificate = load_certificates(certificate_pem)[0]
    for issuer in load_certificates(ca_pem):
        if is_issued_by(certificate, issuer):
            return certificate, issuer
    raise invalid(
        f"none of the CAs given issued the certificate {common_name_of(certificate)}",
        "Give the CA that did.",
    )


def _request(certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPRequest:
    # The hash that every responder knows; it names the issuer, and nothing is trusted for it.
    return ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1()).build()  # noqa: S303  # RFC 5019 §2.1.1


def _verify_signature(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    signers = [issuer, *(item for item in response.certificates if _may_answer(item, issuer, now))]
    if not any(_is_signed_by(response, signer) for signer in signers):
        raise _unusable("is not signed by the issuer")


def _may_answer(responder: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    purposes = extension_of(responder, x509.ExtendedKeyUsage)
    return (
        purposes is not None
        and ExtendedKeyUsageOID.OCSP_SIGNING in purposes
        and responder.not_valid_before_utc - _CLOCK_SKEW <= now <= responder.not_valid_after_utc + _CLOCK_SKEW
        and is_issued_by(responder, issuer)
    )


def _is_signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    signature, signed, digest = (
        response.signature,
        response.tbs_response_bytes,
        response.signature_hash_algorithm,
    )
    try:
        match public_key_of(signer):
            case rsa.RSAPublicKey() as key if digest is not None:
                key.verify(signature, signed, padding.PKCS1v15(), digest)
            case ec.EllipticCurvePublicKey() as key if digest is not None:
                key.verify(signature, signed, ec.ECDSA(digest))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey() as key:
                key.verify(signature, signed)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _standing(response: ocsp.OCSPResponse, request: ocsp.OCSPRequest, now: datetime) -> Standing:
    for single in response.responses:
        if _subject_of(single) != _subject_of(request):
            continue
        end = single.next_update_utc
        if now < single.this_update_utc - _CLOCK_SKEW or (end is not None and now > end + _CLOCK_SKEW):
            raise _unusable("is of another time")
        return _STANDINGS[single.certificate_status]
    raise _unusable("is about another certificate")


def _subject_of(item: ocsp.OCSPRequest | ocsp.OCSPSingleResponse) -> tuple[int, bytes, bytes]:
    return item.serial_number, item.issuer_name_hash, item.issuer_key_hash


def _unusable(why: str) -> InvalidInput:
    return invalid(
        f"the OCSP answer {why}", "Look at the issuer's list of certificates, or ask another responder."
    )
