"""The keys and certificates that one TLS mode of an agent asks for.

Source: prism-rest.md sections 5.1 and 5.2, D28.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from prism_iac.model import TlsMode, parse_duration
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm
from prism_iac.pki._authority import Authority, IssuedCertificate
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import generate_key

__all__ = ["Bundle", "issue_bundle"]

_LEAVES: Final[dict[TlsMode, tuple[str, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: ("server",),
    TlsMode.MTLS: ("server", "client"),
    TlsMode.ATLS: (),  # the agent makes its own and proves it by evidence
    TlsMode.MATLS: ("server", "client"),
}
"""The leaves of each mode; a mode without leaves needs no CA either."""


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

    The keys are made side by side. Only the server's certificate carries the addresses, so that a client's
    key cannot stand for the agent.

    Args:
        wanted: What to make; its outputs are not looked at.
        now: The time, aware.

    Raises:
        InvalidInput: A name does not fit, the validity is not positive, there is no address to reach the
            agent by, or the keys are such that gRPC has no TLS for.
    """
    validity = parse_duration(wanted.validity)
    leaves = _LEAVES[wanted.mode]
    if not leaves:
        return Bundle()
    if not wanted.dns_names and not wanted.ip_addresses:
        raise invalid(
            "the server's certificate names no address, so no client would accept it",
            "Set dns_names or ip_addresses to what the agent is reached by.",
        )
    if wanted.key.algorithm is KeyAlgorithm.ED25519:
        raise invalid("gRPC has no TLS with Ed25519 certificates", "Choose the key algorithm rsa or ecdsa.")
    with ThreadPoolExecutor(max_workers=1 + len(leaves)) as pool:
        ca_key, *leaf_keys = pool.map(generate_key, [wanted.key] * (1 + len(leaves)))
    authority = Authority.create(
        f"{wanted.common_name} CA",
        key=ca_key,
        now=now,
        validity=validity,
        subject=wanted.subject,
    )
    issued: dict[str, IssuedCertificate] = {
        leaf: authority.issue(
            common_name=f"{wanted.common_name} {leaf}",
            subject=wanted.subject,
            dns_names=wanted.dns_names if leaf == "server" else (),
            ip_addresses=wanted.ip_addresses if leaf == "server" else (),
            key=leaf_key,
            now=now,
            validity=validity,
        )
        for leaf, leaf_key in zip(leaves, leaf_keys, strict=True)
    }
    server, client = issued["server"], issued.get("client")
    return Bundle(
        ca_certificate=authority.certificate_pem,
        ca_key=authority.key_pem,
        server_certificate=server.certificate_pem,
        server_key=server.key_pem,
        client_certificate=client.certificate_pem if client else None,
        client_key=client.key_pem if client else None,
        not_before=server.not_before,
        not_after=server.not_after,
    )
