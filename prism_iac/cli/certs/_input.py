"""What these commands read: files in any form, addresses, dates and durations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._files import in_file
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from cryptography import x509

    from prism_iac.pki import Authority, PrivateKey

__all__ = [
    "At",
    "CaFile",
    "CaKeyFile",
    "PassphraseFile",
    "moment_of",
    "pem_of",
    "read_authority",
    "read_certificate_file",
    "read_key_file",
    "read_passphrase",
    "split_addresses",
    "validity_of",
]

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Its first line opens an encrypted private key, or a PKCS#12 file.",
    ),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="DATE", help="A day, or a time in RFC 3339; today when left out."),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The CA's certificate; an intermediate first.",
    ),
]
CaKeyFile = Annotated[
    Path | None,
    typer.Option("--ca-key", metavar="FILE", exists=True, dir_okay=False, help="The CA's private key."),
]

_PORT: Final = re.compile(r"\[(?P<v6>[^]]+)\](:\d+)?|(?P<host>[^:]+):\d+")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
"""RFC 1123 §2.1, with the underscore that container networks have."""


def read_passphrase(file: Path | None) -> bytes | None:
    """The first line of a file; None without a file.

    Raises:
        InvalidInput: Others than its owner may read it, or it is empty.
    """
    if file is None:
        return None
    content = _read_secret(file, what="passphrase")
    lines = content.splitlines()
    if not lines or not lines[0]:
        raise InvalidInput(
            in_file([Finding(message="there is no passphrase in it", fix="Write it as line 1.")], file)
        )
    return lines[0]


def read_certificate_file(file: Path, passphrase: bytes | None = None) -> tuple[x509.Certificate, ...]:
    """The certificates in a file of any form.

    Raises:
        InvalidInput: There are none that can be read.
    """
    from prism_iac.pki import read_certificates

    try:
        return read_certificates(file.read_bytes(), passphrase)
    except InvalidInput as error:
        raise InvalidInput(in_file(error.findings, file)) from error


def read_key_file(file: Path, passphrase: bytes | None = None) -> PrivateKey:
    """The private key in a file of any form.

    Raises:
        InvalidInput: Others than its owner may open the file, or there is no key in it that can be read.
    """
    from prism_iac.pki import read_private_key

    try:
        return read_private_key(_read_secret(file, what="private key"), passphrase)
    except InvalidInput as error:
        raise InvalidInput(in_file(error.findings, file)) from error


def _read_secret(file: Path, *, what: str) -> bytes:
    from prism_iac.pki import loose_mode

    finding = loose_mode(file.stat().st_mode, str(file), what=what)
    if finding is not None:
        raise InvalidInput([finding])
    return file.read_bytes()


def read_authority(ca: Path, ca_key: Path, passphrase: bytes | None) -> Authority:
    """The authority of two files.

    Raises:
        InvalidInput: One cannot be read, or they make no authority.
    """
    from prism_iac.pki import Authority, private_pem

    certificates, key = pem_of(read_certificate_file(ca, passphrase)), read_key_file(ca_key, passphrase)
    try:
        return Authority.load(certificates, private_pem(key))
    except InvalidInput as error:
        raise InvalidInput(in_file(error.findings, ca)) from error


def pem_of(certificates: Iterable[x509.Certificate]) -> bytes:
    """Certificates as one PEM file."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def split_addresses(addresses: Sequence[str], option: str = "--address") -> tuple[list[str], list[str]]:
    """DNS names and IP addresses, each as a certificate has them; a port is left out.

    Raises:
        BadParameter: One is neither.
    """
    dns_names, ip_addresses = [], []
    for text in addresses:
        with_port = _PORT.fullmatch(text)
        host = (with_port["v6"] or with_port["host"]) if with_port else text
        try:
            ip_addresses.append(str(ip_address(host)))
        except ValueError:
            if not _HOST.fullmatch(host.lower()):
                raise typer.BadParameter(
                    f"{text!r} is no host name and no address", param_hint=option
                ) from None
            dns_names.append(host.lower())
    return dns_names, ip_addresses


def moment_of(text: str | None) -> datetime:
    """The time that `--at` means, aware.

    Raises:
        BadParameter: It is none.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2027-01-31 or 2027-01-31T12:00:00Z", param_hint="--at"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def validity_of(text: str) -> timedelta:
    """The duration that `--validity` means.

    Raises:
        BadParameter: It is none.
    """
    from prism_iac.model import Refusal, parse_duration

    try:
        return parse_duration(text)
    except Refusal as refusal:
        raise typer.BadParameter(f"{refusal.message}. {refusal.fix}", param_hint="--validity") from None
