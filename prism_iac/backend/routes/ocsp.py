"""The status of certificates for everyone (RFC 6960; prism-rest.md D46)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body, Header, Response

from prism_iac.backend._errors import WrongContentType
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import Scope
from prism_iac.backend.store import certificates

__all__ = ["router"]

router = APIRouter(prefix="/certs", tags=["certificates"])

_REQUEST: Final = "application/ocsp-request"
_RESPONSE: Final = "application/ocsp-response"
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}


@serves(router, "POST", "/ocsp", errors=(WrongContentType,), writes=False, answers={_RESPONSE: _BINARY})
def check_certificate_status(
    scope: Scope,
    request_der: Annotated[bytes, Body(media_type=_REQUEST, min_length=1)],
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Answer an OCSP request about a certificate of this server."""
    from prism_iac.pki import Revocation

    if content_type.partition(";")[0].strip() != _REQUEST:
        raise WrongContentType(f'the body is of type "{content_type}"', next_step=f"Send {_REQUEST}.")

    def status_of(serial: int) -> Revocation | None:
        certificate = certificates.find_anywhere(scope.session, str(serial))
        if certificate is None:
            raise LookupError(serial)
        return Revocation(certificate.revoked_at) if certificate.revoked_at is not None else None

    answer = scope.services.certificates.answer_ocsp(request_der, status_of, now=scope.now)
    return Response(answer, media_type=_RESPONSE)
