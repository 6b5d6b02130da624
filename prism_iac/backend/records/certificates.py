"""Certificates (prism-rest.md section 3.6, D41 to D45)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from prism_iac.backend.records.fields import Body, Record, Time
from prism_iac.backend.store.certificates import Certificate
from prism_iac.model import IpAddress

__all__ = [
    "CertificateFiles",
    "CertificatePage",
    "CertificateRecord",
    "EntityType",
    "IssueBody",
    "TokenRecord",
    "certificate_record",
]

EntityType = Literal["cvm", "computation", "backend"]
"""What the path calls a CVM (D41)."""


class IssueBody(Body):
    """The addresses that a certificate names."""

    ip_addresses: list[IpAddress] = Field(default_factory=list, max_length=64)


class CertificateRecord(Record):
    """A certificate; the files are had by a download."""

    serial_number: str
    entity_type: str
    entity_id: str
    revoked: bool
    expiry_time: Time
    certificate: None = None
    key: None = None
    download_url: str = ""

    @property
    def id(self) -> str:
        """What a repeated request finds it by."""
        return self.serial_number


class CertificatePage(Record):
    """Some certificates."""

    certificates: list[CertificateRecord]
    total: int
    limit: int
    offset: int


class TokenRecord(Record):
    """A short-lived token."""

    token: str


class CertificateFiles(Record):
    """A certificate, its private key and the CA's certificate; base64 of PEM."""

    certificate: str
    private_key: str = Field(repr=False)
    ca: str


def certificate_record(certificate: Certificate) -> CertificateRecord:
    """The record of a certificate."""
    return CertificateRecord(
        serial_number=certificate.serial,
        entity_type=certificate.entity_type,
        entity_id=certificate.entity_id,
        revoked=certificate.revoked_at is not None,
        expiry_time=certificate.expiry_time,
    )
