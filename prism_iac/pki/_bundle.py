"""The keys and certificates that one TLS mode of an agent asks for.

Source: prism-rest.md sections 5.1 and 5.2, D28.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from prism_iac.model import TlsMode, parse_duration
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm, KeySpec, Subject
from prism_iac.pki._authority import Authority, IssuedCertificate
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import generate_key

__all__ = ["Bundle", "BundleSpec", "issue_bundle"]

_LEAVES: Final[dict[TlsMode, tuple[str, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: ("server",),
    TlsMode.MTLS: ("server", "client"),
    TlsMode.ATLS: (),  # the agent makes its own and proves it by evidence
    TlsMode.MATLS: ("server", "client"),
}
"""The leaves of each mode; a mode without leaves needs no CA either."""


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """What a bundle is made of; fields as in the resource model."""

    mode: TlsMode
    common_name: str
    validity: timedelta
    subject: Subject = field(default_factory=Subject)
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    key: KeySpec = field(default_factory=KeySpec)

    @classmethod
    def of(cls, resource: CertificateBundle) -> BundleSpec:
        """The specification that a resource's inputs mean."""
        return cls(
            mode=resource.mode,
            common_name=resource.common_name,
            validity=parse_duration(resource.validity),
            subject=resource.subject,
            dns_names=resource.dns_names,
            ip_addresses=resource.ip_addresses,
            key=resource.key,
        )


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


def issue_bundle(spec: BundleSpec, *, now: datetime) -> Bundle:
    """Fresh keys and certificates for a TLS mode; modes without files give an empty bundle.

    The keys are made side by side. Only the server's certificate carries the addresses, so that a client's
    key cannot stand for the agent.

    Args:
        spec: What to make.
        now: The time, aware.

    Raises:
        InvalidInput: A name does not fit, the validity is not positive, there is no address to reach the
            agent by, or the keys are such that gRPC has no TLS for.
    """
    leaves = _LEAVES[spec.mode]
    if not leaves:
        return Bundle()
    if not spec.dns_names and not spec.ip_addresses:
        raise invalid(
            "the server's certificate names no address, so no client would accept it",
            "Set dns_names or ip_addresses to what the agent is reached by.",
        )
    if spec.key.algorithm is KeyAlgorithm.ED25519:
        raise invalid("gRPC has no TLS with Ed25519 certificates", "Choose the key algorithm rsa or ecdsa.")
    with ThreadPoolExecutor(max_workers=1 + len(leaves)) as pool:
        ca_key, *leaf_keys = pool.map(generate_key, [spec.key] * (1 + len(leaves)))
    authority = Authority.create(
        f"{spec.common_name} CA",
        key=ca_key,
        now=now,
        validity=spec.validity,
        organization=spec.subject.organization,
    )
    issued: dict[str, IssuedCertificate] = {
        leaf: authority.issue(
            common_name=f"{spec.common_name} {leaf}",
            subject=spec.subject,
            dns_names=spec.dns_names if leaf == "server" else (),
            ip_addresses=spec.ip_addresses if leaf == "server" else (),
            key=leaf_key,
            now=now,
            validity=spec.validity,
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
