"""`prism-iac certs inspect`: what certificates say."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._output import AsJson, emit_json, emit_table, moment
from prism_iac.cli.certs._input import At, PassphraseFile, moment_of, read_certificate_file, read_passphrase

if TYPE_CHECKING:
    from prism_iac.cli._documents import CertificateDocument
    from prism_iac.pki import CertificateDescription

__all__ = ["inspect"]


def inspect(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="PEM, DER, PKCS#7 or PKCS#12.",
            show_default=False,
        ),
    ],
    *,
    at: At = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what certificates say.

    Every certificate of every file, in order. Nothing is verified, and no private key is looked at.
    """
    from prism_iac.pki import describe_certificate

    now, passphrase = moment_of(at), read_passphrase(passphrase_file)
    found = [
        (file, describe_certificate(certificate))
        for file in files
        for certificate in read_certificate_file(file, passphrase)
    ]
    if as_json:
        emit_json([_document(file, described, now) for file, described in found])
        return
    emit_table(
        ("FILE", "SUBJECT", "FOR", "KEY", "ENDS", "LEFT"),
        (
            (
                file.name,
                described.subject,
                _what_for(described),
                described.key,
                moment(described.not_after),
                _left(described, now),
            )
            for file, described in found
        ),
    )


def _what_for(described: CertificateDescription) -> str:
    names = [*described.dns_names, *described.ip_addresses, *described.uris]
    if described.is_authority:
        names = ["CA", *(f"of {name}" for name in described.permitted)]
    return ", ".join(names)


def _left(described: CertificateDescription, now: datetime) -> str:
    if now < described.not_before:
        return f"begins {moment(described.not_before)}"
    days = _days_left(described, now)
    return "ended" if now > described.not_after else f"{days} d" if days else "today"


def _days_left(described: CertificateDescription, now: datetime) -> int:
    return (described.not_after - now) // timedelta(days=1)


def _document(file: Path, described: CertificateDescription, now: datetime) -> CertificateDocument:
    begin, end = moment(described.not_before), moment(described.not_after)
    assert begin is not None
    assert end is not None
    return {
        "file": str(file),
        "subject": described.subject,
        "issuer": described.issuer,
        "serial_number": str(described.serial),
        "not_before": begin,
        "not_after": end,
        "days_left": _days_left(described, now),
        "key": described.key,
        "signature": described.signature,
        "is_ca": described.is_authority,
        "path_length": described.path_length,
        "usages": list(described.usages),
        "dns_names": list(described.dns_names),
        "ip_addresses": list(described.ip_addresses),
        "uris": list(described.uris),
        "permitted": list(described.permitted),
        "sha256": described.sha256,
    }
