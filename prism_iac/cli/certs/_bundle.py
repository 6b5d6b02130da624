"""`prism-iac certs bundle`: the files of a TLS mode, for any number of servers and clients."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from prism_iac.cli._files import PRIVATE, PUBLIC
from prism_iac.cli._given import given
from prism_iac.cli._output import say
from prism_iac.cli.certs._input import (
    CaFile,
    CaKeyFile,
    PassphraseFile,
    read_authority,
    read_passphrase,
    split_addresses,
)
from prism_iac.cli.certs._wanted import Wanted, write_files

if TYPE_CHECKING:
    from prism_iac.pki import Authority, Hierarchy, Parties, Party, Permitted

__all__ = ["BundleMode", "bundle"]

BundleMode = Literal["tls", "mtls", "matls"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TAKEN: Final = ("ca", "intermediate")


@given(Wanted)
def bundle(
    wanted: Wanted,
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", file_okay=False, help="Where to write the files.", show_default=False),
    ],
    *,
    mode: Annotated[
        BundleMode, typer.Option(help="The TLS mode; none and atls need no files, tls has no clients.")
    ] = "mtls",
    name: Annotated[str, typer.Option(metavar="TEXT", help="What common names begin with.")] = "prism-iac",
    addresses: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="HOST",
            help="What the agent is reached by; may be said several times. localhost when left out.",
        ),
    ] = None,
    servers: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            metavar="NAME=HOST[,HOST]",
            help="A server with its addresses, in place of the one that is called server; may be said several times.",
        ),
    ] = None,
    clients: Annotated[
        list[str] | None,
        typer.Option(
            "--client",
            metavar="NAME",
            help="A client, in place of the one that is called client; may be said several times.",
        ),
    ] = None,
    intermediate: Annotated[
        bool,
        typer.Option(
            "--intermediate", help="Sign with an intermediate CA, so that the root's key can be put away."
        ),
    ] = False,
    permitted: Annotated[
        list[str] | None,
        typer.Option(
            "--permit",
            metavar="DOMAIN|NETWORK",
            help="The only names that the CA may certify; may be said several times. Any when left out.",
        ),
    ] = None,
    ca: CaFile = None,
    ca_key: CaKeyFile = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the keys and certificates of a TLS mode.

    Files are named as in the documented recipe: ca-cert.pem, ca-key.pem, server-cert.pem, server-key.pem, client-cert.pem, client-key.pem. A CA that is there signs with --ca and --ca-key.
    """
    from prism_iac.pki import issue_parties

    if mode == "tls" and clients:
        raise typer.BadParameter("in the mode tls clients have no certificates", param_hint="--client")
    if addresses and servers:
        raise typer.BadParameter("each --server has its own addresses", param_hint="--address")
    parties = [
        *_servers(name, wanted, addresses or ["localhost"], servers or []),
        *(_clients(name, wanted, clients or []) if mode != "tls" else ()),
    ]
    above = _above(ca, ca_key, read_passphrase(passphrase_file)) or _hierarchy(
        name, wanted, has_intermediate=intermediate, permitted=permitted or []
    )
    if ca is not None and (intermediate or permitted):
        raise typer.BadParameter(
            "--intermediate and --permit are for a CA that is made here", param_hint="--ca"
        )
    made = issue_parties(parties, above, key=wanted.key, now=datetime.now(UTC), validity=wanted.validity)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = _files(made, with_authorities=ca is None)
    write_files({folder / file: content for file, content in files}, force=wanted.force)
    say("An agent gets its pair and ca-cert.pem, so does each client. Keep the keys of CAs apart from them.")


def _servers(name: str, wanted: Wanted, addresses: Sequence[str], servers: Sequence[str]) -> Iterator[Party]:
    from prism_iac.pki import Party, Side

    listed = [text.partition("=") for text in servers]
    named: list[tuple[str, Sequence[str]]] = [
        (_file_name(key, "--server"), value.split(",")) for key, _, value in listed
    ]
    for stem, hosts in named or [("server", addresses)]:
        dns_names, ip_addresses = split_addresses(hosts, "--server" if named else "--address")
        yield Party(stem, Side.SERVER, f"{name} {stem}", wanted.subject, dns_names, ip_addresses)


def _clients(name: str, wanted: Wanted, clients: Sequence[str]) -> Iterator[Party]:
    from prism_iac.pki import Party, Side

    for client in clients or ["client"]:
        stem = _file_name(client, "--client")
        yield Party(stem, Side.CLIENT, f"{name} {stem}", wanted.subject)


def _file_name(text: str, option: str) -> str:
    if not _NAME.fullmatch(text) or text in _TAKEN:
        raise typer.BadParameter(
            f"{text!r} is no name for files: letters, digits, dots and dashes, and neither ca nor intermediate",
            param_hint=option,
        )
    return text


def _above(ca: Path | None, ca_key: Path | None, passphrase: bytes | None) -> Authority | None:
    if ca is None and ca_key is None:
        return None
    if ca is None or ca_key is None:
        raise typer.BadParameter("--ca and --ca-key come together", param_hint="--ca")
    return read_authority(ca, ca_key, passphrase)


def _hierarchy(name: str, wanted: Wanted, *, has_intermediate: bool, permitted: Sequence[str]) -> Hierarchy:
    from prism_iac.pki import Hierarchy

    return Hierarchy(
        f"{name} CA", wanted.subject, has_intermediate, _permitted(permitted) if permitted else None
    )


def _permitted(texts: Sequence[str]) -> Permitted:
    from prism_iac.pki import Permitted

    networks = [text for text in texts if _is_network(text)]
    domains = [text.lower() for text in texts if text not in networks]
    return Permitted(domains, networks)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _files(made: Parties, *, with_authorities: bool) -> Iterator[tuple[str, tuple[bytes, int]]]:
    if with_authorities:
        yield "ca-cert.pem", (made.root.certificate_pem, PUBLIC)
        yield "ca-key.pem", (made.root.key_pem, PRIVATE)
        if made.issuer is not made.root:
            yield "intermediate-cert.pem", (made.issuer.certificate_pem, PUBLIC)
            yield "intermediate-key.pem", (made.issuer.key_pem, PRIVATE)
    for stem, issued in made.certificates.items():
        yield f"{stem}-cert.pem", (issued.certificate_pem, PUBLIC)
        yield f"{stem}-key.pem", (issued.key_pem, PRIVATE)
