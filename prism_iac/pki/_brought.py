"""Reads the keys and certificates that somebody else made for the two ends of a connection, and checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki._check import check_certificate
from prism_iac.pki._conversion import read_certificates, read_private_key
from prism_iac.pki._key import private_pem
from prism_iac.pki._side import Side

__all__ = ["read_brought"]

_KEYS: Final = ("server_key", "client_key")


def read_brought(
    contents: Mapping[str, bytes], *, passphrase: str | None, names: Sequence[str], now: datetime
) -> dict[str, str]:
    """Each file as PEM, keys not encrypted.

    Args:
        contents: What the files hold by their field: `ca_certificate`, `server_certificate`, `server_key`,
            `client_certificate`, `client_key`; PEM, DER or PKCS#12.
        passphrase: What opens encrypted keys.
        names: The DNS names and IP addresses that the server is reached by.
        now: The time, aware.

    Raises:
        InvalidInput: With every finding, each at its field: what cannot be read, and what a peer would refuse.
    """
    read: dict[str, str] = {}
    findings: list[Finding] = []
    for field, data in contents.items():
        try:
            read[field] = _pem(field, data, passphrase.encode() if passphrase else None)
        except InvalidInput as error:
            findings += [replace(item, path=field) for item in error.findings]
    if not findings:
        findings = list(_refused(read, names, now))
    if findings:
        raise InvalidInput(findings)
    return read


def _pem(field: str, data: bytes, passphrase: bytes | None) -> str:
    if field in _KEYS:
        return private_pem(read_private_key(data, passphrase)).decode()
    return "".join(item.public_bytes(Encoding.PEM).decode() for item in read_certificates(data, passphrase))


def _refused(read: Mapping[str, str], names: Sequence[str], now: datetime) -> Iterator[Finding]:
    anchors = read["ca_certificate"].encode()
    yield from (replace(item, path="ca_certificate") for item in check_certificate(anchors, now=now))
    for side in Side:
        certificate, key = read.get(f"{side}_certificate"), read.get(f"{side}_key")
        if certificate is not None:
            found = check_certificate(
                certificate.encode(),
                now=now,
                ca_pem=anchors,
                key_pem=key.encode() if key else None,
                names=names if side is Side.SERVER else (),
                side=side,
            )
            yield from (replace(item, path=f"{side}_certificate") for item in found)
        elif key is not None:
            yield Finding(
                path=f"{side}_key", message="has no certificate", fix=f"Name {side}_certificate, too."
            )
    if "server_certificate" not in read or "server_key" not in read:
        yield Finding(
            path="ca_certificate",
            message="the agent has no certificate with its key",
            fix="Name server_certificate and server_key.",
        )
