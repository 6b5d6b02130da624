"""The keys and certificates that one TLS mode of an agent asks for.

Source: prism-rest.md sections 5.1 and 5.2, D28.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Final

from prism_iac.model import TlsMode, parse_duration
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm, KeySpec, Subject
from prism_iac.pki._authority import Authority, IssuedCertificate
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PrivateKey, generate_keys
from prism_iac.pki._profile import NO_MORE_PARTS, Permitted
from prism_iac.pki._side import Side

__all__ = ["Bundle", "Hierarchy", "Parties", "Party", "issue_bundle", "issue_parties", "parties_of"]


_SIDES: Final[dict[TlsMode, tuple[Side, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: (Side.SERVER,),
    TlsMode.MTLS: (Side.SERVER, Side.CLIENT),
    TlsMode.ATLS: (),  # the agent makes its own and proves it by evidence
    TlsMode.MATLS: (Side.SERVER, Side.CLIENT),
}
"""The leaves of each mode; a mode without leaves needs no CA either."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever gets a key and a certificate.

    Attributes:
        name: What it is called among the parties, such as `server` or `client-ada`.
        side: A server has addresses, a client has none, so that its key cannot stand for an agent.
        common_name: CN of the subject, 1 to 64 characters.
        subject: The other parts of the subject.
        dns_names: Names that a server is reached by.
        ip_addresses: Addresses that a server is reached by.
    """

    name: str
    side: Side
    common_name: str
    subject: Subject = NO_MORE_PARTS
    dns_names: Sequence[str] = ()
    ip_addresses: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Which authorities stand above the parties.

    Attributes:
        common_name: CN of the root, 1 to 64 characters.
        subject: The other parts of the authorities' subjects.
        has_intermediate: An authority of its own signs the parties, so that the root's key can be put away.
        permitted: The only names that may be certified; None for any.
    """

    common_name: str
    subject: Subject = NO_MORE_PARTS
    has_intermediate: bool = False
    permitted: Permitted | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """What parties that trust each other get.

    Attributes:
        root: Whose certificate everyone trusts.
        issuer: Who signed the parties; the root itself where there is no intermediate.
        certificates: By the name of the party; an intermediate's certificate follows the party's own.
    """

    root: Authority
    issuer: Authority
    certificates: Mapping[str, IssuedCertificate]


@dataclass(frozen=True, slots=True)
class Bundle:
    """PEM files, None where the mode has none; private keys are not printed.

    Attributes:
        not_before: From when every certificate is valid, UTC.
        not_after: When the first of them ends, UTC.
    """

    ca_certificate: bytes | None = None
    ca_key: bytes | None = field(default=None, repr=False)
    server_certificate: bytes | None = None
    server_key: bytes | None = field(default=None, repr=False)
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    not_before: datetime | None = None
    not_after: datetime | None = None


def issue_bundle(wanted: CertificateBundle, *, now: datetime) -> Bundle:
    """Fresh keys and certificates for a TLS mode; modes without files give an empty bundle.

    Args:
        wanted: What to make; its outputs are not looked at.
        now: The time, aware.

    Raises:
        InvalidInput: A name does not fit, the validity is not positive, there is no address to reach the
            agent by, or the keys are such that gRPC has no TLS for.
    """
    parties = parties_of(wanted)
    if not parties:
        return Bundle()
    issued = issue_parties(
        parties,
        Hierarchy(f"{wanted.common_name} CA", wanted.subject),
        key=wanted.key,
        now=now,
        validity=parse_duration(wanted.validity),
    )
    server, client = issued.certificates[Side.SERVER], issued.certificates.get(Side.CLIENT)
    return Bundle(
        ca_certificate=issued.root.certificate_pem,
        ca_key=issued.root.key_pem,
        server_certificate=server.certificate_pem,
        server_key=server.key_pem,
        client_certificate=client.certificate_pem if client else None,
        client_key=client.key_pem if client else None,
        not_before=server.not_before,
        not_after=server.not_after,
    )


def parties_of(wanted: CertificateBundle) -> tuple[Party, ...]:
    """Who gets a certificate in a bundle: a server and a client, named so, and those that are asked for besides.

    Nobody in a mode without files; a client besides in a mutual mode only.
    """
    usual = tuple(
        Party(
            side,
            side,
            f"{wanted.common_name} {side}",
            wanted.subject,
            wanted.dns_names if side is Side.SERVER else (),
            wanted.ip_addresses if side is Side.SERVER else (),
        )
        for side in _SIDES[wanted.mode]
    )
    if not usual:
        return ()
    servers = (
        Party(
            f"{Side.SERVER}-{name}",
            Side.SERVER,
            f"{wanted.common_name} {name}",
            wanted.subject,
            names.dns_names,
            names.ip_addresses,
        )
        for name, names in (wanted.servers or {}).items()
    )
    clients = (
        Party(f"{Side.CLIENT}-{name}", Side.CLIENT, f"{wanted.common_name} {name}", wanted.subject)
        for name in (wanted.clients or ())
        if Side.CLIENT in _SIDES[wanted.mode]
    )
    return (*usual, *servers, *clients)


def issue_parties(
    parties: Sequence[Party],
    above: Hierarchy | Authority,
    *,
    key: KeySpec,
    now: datetime,
    validity: timedelta,
) -> Parties:
    """Fresh keys and certificates for parties that connect to each other; keys are made side by side.

    Args:
        parties: At least one; their names differ.
        above: Which authorities to make, or the one that there is.
        key: What kind of keys to make, for the authorities too.
        now: The time, aware; certificates begin ten minutes before it.
        validity: How long from now.

    Raises:
        InvalidInput: A name does not fit, stands there twice, or is not permitted; the validity is not positive,
            a server has no address or a client has one; or the keys are such that gRPC has no TLS for.
    """
    _check(parties, key)
    made_authorities = 0 if isinstance(above, Authority) else 1 + above.has_intermediate
    keys = generate_keys(key, made_authorities + len(parties))
    root, issuer = (
        (above, above)
        if isinstance(above, Authority)
        else _authorities(above, keys, now=now, validity=validity)
    )
    certificates = {
        party.name: issuer.issue(
            common_name=party.common_name,
            subject=party.subject,
            dns_names=party.dns_names,
            ip_addresses=party.ip_addresses,
            key=party_key,
            now=now,
            validity=validity,
        )
        for party, party_key in zip(parties, keys[made_authorities:], strict=True)
    }
    with_chain = {
        name: replace(issued, certificate_pem=issued.certificate_pem + issuer.chain_pem)
        for name, issued in certificates.items()
    }
    return Parties(root, issuer, MappingProxyType(with_chain))


def _check(parties: Sequence[Party], key: KeySpec) -> None:
    for name, same in groupby(sorted(party.name for party in parties)):
        if len(list(same)) > 1:
            raise invalid(f"there are several parties with the name {name!r}", "Give each a name of its own.")
    for party in parties:
        has_address = bool(party.dns_names or party.ip_addresses)
        if party.side is Side.SERVER and not has_address:
            raise invalid(
                f"the {party.name}'s certificate names no address, so no client would accept it",
                "Set dns_names or ip_addresses to what the agent is reached by.",
            )
        if party.side is Side.CLIENT and has_address:
            raise invalid(
                f"the certificate of {party.name} names an address, so its key could stand for an agent",
                "Make it without, or make it a server.",
            )
    if key.algorithm is KeyAlgorithm.ED25519:
        raise invalid("gRPC has no TLS with Ed25519 certificates", "Choose the key algorithm rsa or ecdsa.")


def _authorities(
    wanted: Hierarchy, keys: Sequence[PrivateKey], *, now: datetime, validity: timedelta
) -> tuple[Authority, Authority]:
    root = Authority.create(
        wanted.common_name,
        key=keys[0],
        now=now,
        validity=validity,
        subject=wanted.subject,
        path_length=int(wanted.has_intermediate),
        permitted=wanted.permitted,
    )
    if not wanted.has_intermediate:
        return root, root
    name = f"{wanted.common_name} intermediate"
    return root, root.create_below(name, key=keys[1], now=now, validity=validity, subject=wanted.subject)
