"""`prism-iac certs issue`: one certificate, or the request for one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._files import PRIVATE, PUBLIC, in_file
from prism_iac.cli._given import given
from prism_iac.cli.certs._input import (
    CaFile,
    CaKeyFile,
    PassphraseFile,
    read_authority,
    read_key_file,
    read_passphrase,
    split_addresses,
)
from prism_iac.cli.certs._wanted import Wanted, write_files
from prism_iac.errors import InvalidInput

if TYPE_CHECKING:
    from prism_iac.pki import Authority, CertificateRequest, PrivateKey

__all__ = ["issue"]

_REQUEST_ENDING: Final = "-req"


@given(Wanted)
def issue(
    wanted: Wanted,
    request_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[REQUEST]",
            exists=True,
            dir_okay=False,
            help="Sign this request, PEM or DER: its names and its key stand in the certificate.",
            show_default=False,
        ),
    ] = None,
    *,
    only_request: Annotated[
        bool, typer.Option("--request", help="Make a request for a CA elsewhere; the key stays here.")
    ] = False,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="CN of the subject.")] = None,
    addresses: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="HOST",
            help="What a server is reached by; may be said several times. A client has none.",
        ),
    ] = None,
    ca: CaFile = None,
    ca_key: CaKeyFile = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Use this private key; a new one is made without it.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Write PREFIX-cert.pem, PREFIX-key.pem and PREFIX-req.pem, not `server-…` or `client-…`.",
        ),
    ] = None,
) -> None:
    """Issue a certificate, make a request for one, or sign a request.

    A certificate has the profile of the documented recipe, and ends with its CA at the latest. A request leaves the key where it is: make it there with --request, carry the request to the CA, and sign it.
    """
    passphrase = read_passphrase(passphrase_file)
    if request_file is not None:
        if only_request or name is not None or addresses or key is not None:
            raise typer.BadParameter("a request has its names and its key already", param_hint="REQUEST")
        authority = _authority(ca, ca_key, passphrase)
        prefix = output or request_file.stem.removesuffix(_REQUEST_ENDING)
        signed = authority.sign_request(
            _read_request(request_file), now=datetime.now(UTC), validity=wanted.validity
        )
        content = signed.certificate_pem + authority.chain_pem
        write_files({Path(f"{prefix}-cert.pem"): (content, PUBLIC)}, force=wanted.force)
        return
    if name is None:
        raise typer.BadParameter("a subject has a name", param_hint="--name")
    prefix = output or ("server" if addresses else "client")
    dns_names, ip_addresses = split_addresses(addresses or [])
    authority_or_none = None if only_request else _authority(ca, ca_key, passphrase)
    holder = _key(key, wanted, passphrase)
    files: dict[Path, tuple[bytes, int]] = {}
    if key is None:
        from prism_iac.pki import private_pem

        files[Path(f"{prefix}-key.pem")] = (private_pem(holder), PRIVATE)
    if authority_or_none is None:
        from prism_iac.pki import create_request

        made = create_request(
            holder, common_name=name, subject=wanted.subject, dns_names=dns_names, ip_addresses=ip_addresses
        )
        files[Path(f"{prefix}-req.pem")] = (made, PUBLIC)
    else:
        issued = authority_or_none.issue(
            common_name=name,
            subject=wanted.subject,
            dns_names=dns_names,
            ip_addresses=ip_addresses,
            key=holder,
            now=datetime.now(UTC),
            validity=wanted.validity,
        )
        files[Path(f"{prefix}-cert.pem")] = (issued.certificate_pem + authority_or_none.chain_pem, PUBLIC)
    write_files(files, force=wanted.force)


def _authority(ca: Path | None, ca_key: Path | None, passphrase: bytes | None) -> Authority:
    if ca is None or ca_key is None:
        raise typer.BadParameter(
            "a certificate needs --ca and --ca-key; without them make a request: --request", param_hint="--ca"
        )
    return read_authority(ca, ca_key, passphrase)


def _key(file: Path | None, wanted: Wanted, passphrase: bytes | None) -> PrivateKey:
    from prism_iac.pki import generate_key

    return generate_key(wanted.key) if file is None else read_key_file(file, passphrase)


def _read_request(file: Path) -> CertificateRequest:
    from prism_iac.pki import parse_request

    try:
        return parse_request(file.read_bytes())
    except InvalidInput as error:
        raise InvalidInput(in_file(error.findings, file)) from error
