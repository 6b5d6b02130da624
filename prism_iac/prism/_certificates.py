"""Certificates of a workspace's VMs, and the CA (prism-rest.md section 2.6)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from prism_iac.model import DamagedZip, opened_zip
from prism_iac.prism._errors import Unauthenticated
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import CertificateFiles, CertificateRecord

__all__ = ["Certificates"]

_PEM: Final = b"-----BEGIN CERTIFICATE-----"
_ZIP: Final = b"PK\x03\x04"
_LONGEST_CA_BYTES: Final = 1 << 20
_OCSP_REQUEST: Final = "application/ocsp-request"
_OCSP_RESPONSE: Final = "application/ocsp-response"


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates of one workspace.

    Attributes:
        routes: Those of the workspace.
        ca_routes: Those of the CA, which belongs to no workspace.
    """

    routes: Routes
    ca_routes: Routes

    def issue(
        self, cvm_id: str, *, ip_addresses: tuple[str, ...] = (), idempotency_key: str | None = None
    ) -> str:
        """Make one more certificate for a VM (T1, D41).

        Args:
            cvm_id: The VM.
            ip_addresses: Those that it is reached by.
            idempotency_key: Lets a repeat find the first certificate, as long as that is not revoked.

        Returns:
            The serial number, decimal digits.
        """
        body = {"ip_addresses": list(ip_addresses)}
        call = self.routes.call("POST", "certs", "issue", "cvm", cvm_id, body=body).keyed(idempotency_key)
        return self.routes.api.fetch(call, CertificateRecord.parse).serial_number

    def renew(self, serial_number: str) -> None:
        """Let a certificate end later, with the same serial number (T2, D44).

        Raises:
            ApiConflict: It is revoked.
        """
        self.routes.api.send(self.routes.call("PATCH", "certs", serial_number, "renew"))

    def revoke(self, serial_number: str) -> None:
        """End a certificate at once; doing it again is fine (T3, D44)."""
        self.routes.api.send(self.routes.call("PATCH", "certs", serial_number, "revoke").harmless_twice())

    def list(self, *, cvm_id: str | None = None) -> Iterator[CertificateRecord]:
        """The certificates of the workspace, or those of one VM (T4)."""
        return self.routes.pages(
            "certificates",
            CertificateRecord.parse,
            "certs",
            query={"entity_id": cvm_id},
            identity=lambda certificate: certificate.serial_number,
        )

    def delete(self, cvm_id: str) -> None:
        """Remove every certificate of a VM (T5)."""
        self.routes.api.send(self.routes.call("DELETE", "certs", query={"entity_id": cvm_id}))

    def download_token(self, serial_number: str) -> str:
        """A token for one download within five minutes (T6)."""
        return self.routes.get(_parse_token, "certs", serial_number, "download", "token")

    def download(self, cvm_id: str, token: str) -> CertificateFiles:
        """The certificate that a token was made for, its key and the CA (T7, D43).

        Raises:
            Unauthenticated: The token is over or used.
        """
        call = self.routes.call("GET", "certs", cvm_id, "download", query={"downloadToken": token})
        return self.routes.api.fetch(call.hiding(token), CertificateFiles.parse)

    def fetch(self, cvm_id: str, serial_number: str) -> CertificateFiles:
        """The files of a certificate, in the two steps that it takes; a token that ran out is replaced once."""
        try:
            return self.download(cvm_id, self.download_token(serial_number))
        except Unauthenticated:
            return self.download(cvm_id, self.download_token(serial_number))

    def answer_ocsp(self, request_der: bytes) -> bytes:
        """What Prism's responder answers to an OCSP request, DER; its signature is the caller's to verify (T10, D46)."""
        call = replace(
            self.ca_routes.call("POST", "ocsp", body=request_der).harmless_twice(),
            accept=_OCSP_RESPONSE,
            content_type=_OCSP_REQUEST,
            authenticated=False,
        )
        return self.ca_routes.api.download(call, bytes)

    def ca_token(self) -> str:
        """A token for the download of the CA's certificate (T8, D45)."""
        return self.ca_routes.get(_parse_token, "certs", "get-ca", "token")

    def download_ca(self, token: str) -> str:
        """The CA's certificate as PEM text, whether it comes as such or in a zip (T9, D45).

        Raises:
            Unauthenticated: The token is over or used.
        """
        call = self.ca_routes.call("GET", "certs", "download-ca", query={"token": token}).hiding(token)
        return self.ca_routes.api.download(replace(call, accept="application/x-pem-file, */*"), _parse_ca)

    def fetch_ca(self) -> str:
        """The CA's certificate as PEM text, in the two steps that it takes."""
        return self.download_ca(self.ca_token())


def _parse_token(document: object) -> str:
    return Fields(document, "a token reply").identity("token")


def _parse_ca(body: bytes) -> str:
    pem = _unzipped(body) if body.startswith(_ZIP) else body
    if not pem.lstrip().startswith(_PEM):
        raise Malformed("the CA download is neither PEM nor a zip with ca.pem")
    try:
        return pem.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("the CA download is no PEM text") from error


def _unzipped(archive: bytes) -> bytes:
    try:
        with opened_zip(io.BytesIO(archive)) as files, files.open("ca.pem") as file:
            pem = file.read(_LONGEST_CA_BYTES + 1)
    except (DamagedZip, KeyError) as error:
        raise Malformed("the zip of the CA download cannot be read") from error
    if len(pem) > _LONGEST_CA_BYTES:
        raise Malformed("the zip of the CA download holds too much")
    return pem
