"""Answers to OCSP requests, signed by the issuer itself.

Source: RFC 6960 §2.1 to §2.3, §4.2; RFC 8954 (nonce); prism-rest.md D46.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from prism_iac.pki._key import PrivateKey

__all__ = ["Revocation", "ocsp_response"]

_FRESH_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Revocation:
    """That a certificate is revoked, and since when (aware)."""

    revoked_at: datetime


def ocsp_response(
    request_der: bytes,
    *,
    issuer: x509.Certificate,
    key: PrivateKey,
    digest: HashAlgorithm | None,
    status_of: Callable[[int], Revocation | None],
    now: datetime,
) -> bytes:
    """See `Authority.ocsp_response`."""
    try:
        request = ocsp.load_der_ocsp_request(request_der)
        is_ours = _names_issuer(request, issuer)
    except (ValueError, NotImplementedError, UnsupportedAlgorithm):
        return _refusal(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if not is_ours:
        return _refusal(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    status, revoked_at = _status(request.serial_number, status_of)
    this_update = now.astimezone(UTC).replace(microsecond=0)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=this_update,
            next_update=this_update + _FRESH_FOR,
            revocation_time=revoked_at,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    )
    for extension in request.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    return builder.sign(key, digest).public_bytes(Encoding.DER)


def _names_issuer(request: ocsp.OCSPRequest, issuer: x509.Certificate) -> bool:
    expected = (
        ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, request.hash_algorithm).build()
    )  # the hashes name the issuer of a certificate, whichever it is
    return (request.issuer_name_hash, request.issuer_key_hash) == (
        expected.issuer_name_hash,
        expected.issuer_key_hash,
    )


def _status(
    serial: int, status_of: Callable[[int], Revocation | None]
) -> tuple[ocsp.OCSPCertStatus, datetime | None]:
    try:
        revocation = status_of(serial)
    except LookupError:
        return ocsp.OCSPCertStatus.UNKNOWN, None
    if revocation is None:
        return ocsp.OCSPCertStatus.GOOD, None
    return ocsp.OCSPCertStatus.REVOKED, revocation.revoked_at.astimezone(UTC)


def _refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
