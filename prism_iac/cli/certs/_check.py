"""`prism-iac certs check`: what a peer would refuse about a certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._files import in_file
from prism_iac.cli._output import AsJson, emit, emit_json, printable, say
from prism_iac.cli.certs._input import (
    At,
    CaFile,
    PassphraseFile,
    moment_of,
    pem_of,
    read_certificate_file,
    read_key_file,
    read_passphrase,
    split_addresses,
)
from prism_iac.errors import InvalidInput

if TYPE_CHECKING:
    from prism_iac.errors import Finding

__all__ = ["SideName", "check"]

SideName = Literal["server", "client"]


def check(
    certificate: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The certificate, then its intermediates.",
            show_default=False,
        ),
    ],
    *,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Its private key.")
    ] = None,
    ca: CaFile = None,
    addresses: Annotated[
        list[str] | None,
        typer.Option("--address", metavar="HOST", help="What it is reached by; may be said several times."),
    ] = None,
    side: Annotated[
        SideName | None, typer.Option("--for", help="Which end of a connection it is for.")
    ] = None,
    at: At = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell everything that a peer would refuse about a certificate.

    Calls nobody. Order, dates, key strength, hash and usage are checked always; key, chain and addresses when they are given. Not checked: revocation. The exit code is 1 when there is a finding.
    """
    from prism_iac.pki import Side, check_certificate

    now, passphrase = moment_of(at), read_passphrase(passphrase_file)
    dns_names, ip_addresses = split_addresses(addresses or [])
    findings: list[Finding] = []
    chain = _read(certificate, _chain_pem, passphrase, findings)
    anchors = _read(ca, _chain_pem, passphrase, findings)
    key_pem = _read(key, _key_pem, passphrase, findings)
    if chain is not None:
        found = check_certificate(
            chain,
            now=now,
            ca_pem=anchors,
            key_pem=key_pem,
            names=[*dns_names, *ip_addresses],
            side=Side(side) if side else None,
        )
        findings += in_file(found, certificate)
    if as_json:
        from prism_iac.cli._as_documents import finding_document

        emit_json([finding_document(finding) for finding in findings])
    else:
        for finding in findings:
            say(printable(str(finding), keep_lines=True))
        if not findings:
            emit(f"{certificate}: nothing is wrong")
    if findings:
        raise typer.Exit(ExitCode.REFUSED)


def _read(
    file: Path | None,
    read: Callable[[Path, bytes | None], bytes],
    passphrase: bytes | None,
    findings: list[Finding],
) -> bytes | None:
    """What a file holds; None where there is no file, or where it adds to the findings."""
    try:
        return None if file is None else read(file, passphrase)
    except InvalidInput as error:
        findings += error.findings
        return None


def _chain_pem(file: Path, passphrase: bytes | None) -> bytes:
    return pem_of(read_certificate_file(file, passphrase))


def _key_pem(file: Path, passphrase: bytes | None) -> bytes:
    from prism_iac.pki import private_pem

    return private_pem(read_key_file(file, passphrase))
