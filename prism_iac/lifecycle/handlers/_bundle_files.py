"""A bundle of files that somebody else made: read, checked and kept; they alone can renew it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.lifecycle.handlers._bundle_life import with_life
from prism_iac.model import contains_unknown, parse_duration
from prism_iac.model.resources import CertificateBundle

__all__ = ["brought", "ending_soon", "read_files", "read_requests"]

_PEM: Final = "-----BEGIN "
_CERTIFICATES: Final = ("ca_certificate", "server_certificate", "client_certificate")
_KEYS: Final = ("server_key", "client_key")
_REQUESTS: Final = ("server_request", "client_request")


_COVERED: Final = ("dns_names", "ip_addresses")
"""The names that a certificate of the agent must cover."""


def read_files(desired: CertificateBundle, now: datetime) -> CertificateBundle:
    """The bundle with what its files hold in place of their names: PEM, keys not encrypted, the passphrase dropped.

    Raises:
        InvalidInput: With every finding: what cannot be read, and what a peer would refuse.
    """
    from prism_iac.pki import read_brought

    files, given = desired.files, desired.properties()
    if files is None or contains_unknown([given.get(name) for name in ("files", *_COVERED)]):
        return desired
    contents: dict[str, bytes] = {}
    findings: list[Finding] = []
    for name in (*_CERTIFICATES, *_KEYS):
        if (value := getattr(files, name)) is not None:
            try:
                contents[name] = _bytes_of(value, is_private=name in _KEYS)
            except InvalidInput as error:
                findings += [replace(item, path=f"files.{name}") for item in error.findings]
    if findings:
        raise InvalidInput(findings)
    names = (*desired.dns_names, *desired.ip_addresses)
    try:
        read = read_brought(contents, passphrase=files.passphrase, names=names, now=now)
    except InvalidInput as error:
        raise InvalidInput(replace(item, path=f"files.{item.path}") for item in error.findings) from None
    return desired.with_(files=read)


def read_requests(desired: CertificateBundle) -> CertificateBundle:
    """The bundle with its certificate requests in place of their files.

    Raises:
        InvalidInput: With every finding.
    """
    from prism_iac.pki import parse_request

    read: dict[str, str] = {}
    findings: list[Finding] = []
    for name in _REQUESTS:
        value = getattr(desired, name)
        if value is None or contains_unknown(value):
            continue
        try:
            data = _bytes_of(value)
            parse_request(data)
            read[name] = _pem_request(data)
        except InvalidInput as error:
            findings += [replace(item, path=name) for item in error.findings]
    if findings:
        raise InvalidInput(findings)
    return desired.with_(**read) if read else desired


def brought(desired: CertificateBundle) -> CertificateBundle:
    """The outputs that the files give."""
    files = desired.files
    assert files is not None, "a bundle of files has them"
    return with_life(desired.with_(**{name: getattr(files, name) for name in (*_CERTIFICATES, *_KEYS)}))


def ending_soon(state: CertificateBundle, now: datetime) -> str | None:
    """A line for the plan when the certificates end within the window; none before."""
    if state.not_after is None:
        return None
    end = datetime.fromisoformat(state.not_after)
    if now < end - parse_duration(state.renew_before):
        return None
    left = max(end - now, timedelta(0)).days
    return f"the certificates that were brought end on {end:%Y-%m-%d}, in {left} days: bring new ones"


def _bytes_of(value: str, *, is_private: bool = False) -> bytes:
    from prism_iac.pki import loose_mode

    if value.lstrip().startswith(_PEM):
        return value.encode()
    path = Path(value)
    try:
        loose = loose_mode(path.stat().st_mode, str(path)) if is_private else None
        if loose is not None:
            raise InvalidInput([Finding(message=loose.message, fix=loose.fix)])
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            [
                Finding(
                    message=f"the file {path} cannot be read: {error.strerror}",
                    fix="Write the path of a file, from the program's folder, or PEM.",
                )
            ]
        ) from None


def _pem_request(data: bytes) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    is_pem = data.lstrip().startswith(_PEM.encode())
    request = x509.load_pem_x509_csr(data) if is_pem else x509.load_der_x509_csr(data)
    return request.public_bytes(Encoding.PEM).decode()
