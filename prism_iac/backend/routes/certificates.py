"""Certificates of CVMs (prism-rest.md section 2.6, D41 to D46)."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import zipfile
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Response

from prism_iac.backend._certificates import VALIDITY
from prism_iac.backend._errors import Clash, Missing, Unauthenticated
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import Scope, UserScope, WorkspaceScope
from prism_iac.backend.records.certificates import (
    CertificateFiles,
    CertificatePage,
    CertificateRecord,
    EntityType,
    IssueBody,
    TokenRecord,
    certificate_record,
)
from prism_iac.backend.routes.parameters import PageSlice, TextFilter
from prism_iac.backend.store import certificates, cvms
from prism_iac.backend.store.certificates import Certificate
from prism_iac.backend.store.cvms import Cvm
from prism_iac.backend.store.notices import Notice, Subject

__all__ = ["authority_router", "issue", "revoke", "router"]

router = APIRouter(prefix="/certs/{domain_id}/certs", tags=["certificates"])
authority_router = APIRouter(prefix="/certs", tags=["certificates"])

_TOKEN_LIFETIME: Final = timedelta(minutes=5)
_CA: Final = "ca"
_ZIP: Final = "application/zip"
_PEM: Final = "application/x-pem-file"

_Accept = Annotated[str, Header(include_in_schema=False)]
_Token = Annotated[str | None, Query(max_length=255)]


def issue(
    scope: WorkspaceScope,
    cvm: Cvm,
    *,
    entity_type: str,
    validity: timedelta = VALIDITY,
    ip_addresses: list[str] | None = None,
) -> Certificate:
    """Issue a certificate to a CVM and record it."""
    issued = scope.services.certificates.issue_for_cvm(
        cvm.id, now=scope.now, validity=validity, ip_addresses=ip_addresses or ()
    )
    certificate = Certificate(
        serial=str(issued.serial),
        workspace_id=scope.workspace.id,
        entity_id=cvm.id,
        entity_type=entity_type,
        certificate_pem=issued.certificate_pem.decode(),
        key_pem=issued.key_pem.decode(),
        issued_at=scope.now,
        expiry_time=issued.not_after,
    )
    certificates.add(scope.session, certificate)
    return certificate


def revoke(scope: WorkspaceScope, certificate: Certificate) -> None:
    """Revoke a certificate and cut the streams that were opened with it; a repeat changes nothing (D44)."""
    if certificate.revoked_at is None:
        certificate.revoked_at = certificate.expiry_time = scope.now
        scope.tell_agents(Notice(Subject.CERTIFICATE_REVOKED, certificate.serial))


@serves(router, "POST", "/issue/{entity_type}/{entity_id}", status=201, errors=(Clash,))
def issue_certificate(
    scope: WorkspaceScope,
    entity_type: Annotated[EntityType, Path()],
    entity_id: str,
    body: IssueBody | None = None,
) -> CertificateRecord:
    """Issue a certificate to a CVM."""
    cvm = cvms.find(scope.session, scope.workspace.id, entity_id)
    if cvm is None:
        raise Missing(f'there is no CVM "{entity_id}" in this workspace')
    if cvm.deleted_at is not None:
        raise Clash(f'the CVM "{cvm.name}" was removed')
    addresses = body.ip_addresses if body is not None else []
    return certificate_record(issue(scope, cvm, entity_type=entity_type, ip_addresses=addresses))


@serves(router, "PATCH", "/{serial_number}/renew", errors=(Clash,))
def renew_certificate(scope: WorkspaceScope, serial_number: str) -> None:
    """Move a certificate's end forward; key and serial number stay."""
    certificate = _existing(scope, serial_number)
    if certificate.revoked_at is not None:
        raise Clash("the certificate is revoked", next_step="Issue a new one.")
    renewed = scope.services.certificates.renew(certificate.certificate_pem, now=scope.now)
    certificate.certificate_pem = renewed.certificate_pem.decode()
    certificate.expiry_time = renewed.not_after


@serves(router, "PATCH", "/{serial_number}/revoke")
def revoke_certificate(scope: WorkspaceScope, serial_number: str) -> None:
    """Revoke a certificate; it opens no stream any more."""
    revoke(scope, _existing(scope, serial_number))


@serves(router, "GET", "")
def list_certificates(
    scope: WorkspaceScope, wanted: PageSlice, entity_id: TextFilter = None
) -> CertificatePage:
    """List the certificates, newest first, without files."""
    page = certificates.page(scope.session, scope.workspace.id, wanted, entity_id=entity_id)
    records = [certificate_record(certificate) for certificate in page.rows]
    return CertificatePage(certificates=records, total=page.total, **wanted._asdict())


@serves(router, "DELETE", "", status=204)
def delete_certificates(
    scope: WorkspaceScope,
    entity_id: Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]+$")],
) -> None:
    """Revoke and hide every certificate of a CVM."""
    for certificate in certificates.of_entity(scope.session, entity_id):
        if certificate.workspace_id == scope.workspace.id:
            revoke(scope, certificate)
    certificates.delete_of(scope.session, scope.workspace.id, entity_id)


@serves(router, "GET", "/{serial_number}/download/token", writes=True)
def get_download_token(scope: WorkspaceScope, serial_number: str) -> TokenRecord:
    """A token for one download within five minutes."""
    return _make_token(scope, _existing(scope, serial_number).serial)


@serves(router, "GET", "/{serial_or_entity}/download", writes=True, errors=(Unauthenticated,))
def download_certificate(
    scope: WorkspaceScope,
    serial_or_entity: str,
    *,
    download_token: Annotated[str | None, Query(alias="downloadToken", max_length=255)] = None,
    token: _Token = None,
    accept: _Accept = "",
) -> CertificateFiles | Response:
    """A certificate's files: JSON, or a zip for `Accept: application/zip`."""
    named = {
        item.serial: item for item in certificates.named(scope.session, scope.workspace.id, serial_or_entity)
    }
    if not named:
        raise Missing(f'there is no certificate for "{serial_or_entity}" in this workspace')
    # An entity has several certificates; the token says which (D43).
    certificate = named[_use_token(scope, download_token or token, named)]
    files = {
        "ca.pem": scope.services.certificates.ca_pem,
        "cert.pem": certificate.certificate_pem.encode(),
        "key.pem": certificate.key_pem.encode(),
    }
    if _ZIP in accept:
        return Response(_zip(files), media_type=_ZIP)
    return CertificateFiles(
        certificate=_base64(files["cert.pem"]),
        private_key=_base64(files["key.pem"]),
        ca=_base64(files["ca.pem"]),
    )


@serves(authority_router, "GET", "/certs/get-ca/token", writes=True)
def get_ca_token(scope: UserScope) -> TokenRecord:
    """A token for one download of the CA's certificate within five minutes."""
    return _make_token(scope, _CA)


@serves(
    authority_router,
    "GET",
    "/certs/download-ca",
    writes=True,
    answers={_PEM: {"schema": {"type": "string"}}, _ZIP: {"schema": {"type": "string", "format": "binary"}}},
)
def download_ca(scope: UserScope, token: _Token = None, accept: _Accept = "") -> Response:
    """The CA's certificate: PEM, or a zip for `Accept: application/zip` (D45)."""
    _use_token(scope, token, [_CA])
    pem = scope.services.certificates.ca_pem
    if _ZIP in accept:
        return Response(_zip({"ca.pem": pem}), media_type=_ZIP)
    return Response(pem, media_type=_PEM)


def _existing(scope: WorkspaceScope, serial: str) -> Certificate:
    certificate = certificates.find(scope.session, scope.workspace.id, serial)
    if certificate is None:
        raise Missing(f'there is no certificate "{serial}" in this workspace')
    return certificate


def _make_token(scope: Scope, subject: str) -> TokenRecord:
    token = secrets.token_urlsafe(32)
    certificates.add_token(
        scope.session,
        digest=_digest(token),
        subject=subject,
        expires_at=scope.now + _TOKEN_LIFETIME,
        now=scope.now,
    )
    return TokenRecord(token=token)


def _use_token(scope: Scope, token: str | None, subjects: Collection[str]) -> str:
    """Use a token up, and tell which of the subjects it is for."""
    subject = token and certificates.take_token(
        scope.session, digest=_digest(token), subjects=subjects, now=scope.now
    )
    if not subject:
        raise Unauthenticated(
            "the download token is wrong, used or over", next_step="Ask for another one; it serves once."
        )
    return subject


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
