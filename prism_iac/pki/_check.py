"""What is wrong with certificate files, told before anything is sent anywhere.

The checks, in order: (1) the files can be read and the leaf comes first; (2) the leaf's key is strong enough; (3) it is valid now;
(4) the private key is its; (5) it covers the names; (6) a chain leads to a CA, through issuers that may
sign and are valid now. Not checked: revocation, name constraints, extended key usage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509

from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki._certificate import (
    common_name_of,
    extension_of,
    is_authority,
    is_issued_by,
    load_certificates,
    public_key_of,
)
from prism_iac.pki._key import load_private_key, weakness_of

__all__ = ["check_certificate"]

_LONGEST_CHAIN: Final = 8


def check_certificate(
    certificate_pem: bytes,
    *,
    now: datetime,
    ca_pem: bytes | None = None,
    key_pem: bytes | None = None,
    names: Sequence[str] = (),
) -> list[Finding]:
    """Everything that a peer would refuse about a certificate; empty when it is fine.

    Args:
        certificate_pem: The leaf, then its intermediates if there are any.
        now: The time, aware.
        ca_pem: The trust anchors; the chain is not checked without them.
        key_pem: The leaf's private key; not checked when left out.
        names: The DNS names and IP addresses that it is reached by.
    """
    try:
        leaf, *intermediates = load_certificates(certificate_pem)
    except InvalidInput as error:
        return list(error.findings)
    findings = [*_order(leaf, intermediates), *_key_strength(leaf), *_dates(leaf, now)]
    if key_pem is not None:
        findings += _private_key(leaf, key_pem)
    findings += _names(leaf, names)
    if ca_pem is not None:
        findings += _chain(leaf, intermediates, ca_pem, now)
    return findings


def _order(leaf: x509.Certificate, intermediates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    if is_authority(leaf) and not all(is_authority(item) for item in intermediates):
        yield Finding(
            message=f"the file begins with a CA's certificate, {common_name_of(leaf)}",
            fix="Put the leaf first, then each certificate that signed the one before it.",
        )


def _key_strength(leaf: x509.Certificate) -> Iterator[Finding]:
    weakness = weakness_of(public_key_of(leaf))
    if weakness:
        yield Finding(
            message=f"the certificate {common_name_of(leaf)} has {weakness}",
            fix="Issue it for RSA from 2048 bits, P-256, P-384, P-521 or Ed25519.",
        )


def _dates(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    name = common_name_of(certificate)
    if now < certificate.not_valid_before_utc:
        yield Finding(
            message=f"the certificate {name} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            fix="Check this machine's clock, or wait.",
        )
    if now > certificate.not_valid_after_utc:
        yield Finding(
            message=f"the certificate {name} ended on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            fix="Renew it where it was issued.",
        )


def _private_key(leaf: x509.Certificate, key_pem: bytes) -> Iterator[Finding]:
    try:
        key = load_private_key(key_pem)
    except InvalidInput as error:
        yield from error.findings
        return
    if key.public_key() != public_key_of(leaf):
        yield Finding(
            message=f"the private key does not belong to the certificate {common_name_of(leaf)}",
            fix="Give the key that the certificate was issued for.",
        )


def _names(leaf: x509.Certificate, names: Sequence[str]) -> Iterator[Finding]:
    dns_names, addresses = _alternative_names(leaf)
    for name in names:
        if not _covers(dns_names, addresses, name):
            covered = ", ".join([*dns_names, *addresses]) or "no name at all"
            yield Finding(
                message=f"the certificate {common_name_of(leaf)} does not cover {name}: it covers {covered}",
                fix=f"Issue it with {name} in its subjectAltName.",
            )


def _alternative_names(leaf: x509.Certificate) -> tuple[list[str], list[str]]:
    names = extension_of(leaf, x509.SubjectAlternativeName)
    if names is None:
        return [], []
    addresses = names.get_values_for_type(x509.IPAddress)
    return names.get_values_for_type(x509.DNSName), [str(address) for address in addresses]


def _covers(dns_names: Sequence[str], addresses: Sequence[str], name: str) -> bool:
    try:
        return str(ip_address(name)) in addresses
    except ValueError:
        pass
    wanted = name.lower().rstrip(".")
    _, _, parent = wanted.partition(".")
    # RFC 6125 §6.4.3: a wildcard stands for exactly one leftmost label.
    return any(
        pattern.lower().rstrip(".") in (wanted, f"*.{parent}" if parent else wanted) for pattern in dns_names
    )


def _chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], ca_pem: bytes, now: datetime
) -> Iterator[Finding]:
    try:
        anchors = load_certificates(ca_pem)
    except InvalidInput as error:
        yield from error.findings
        return
    current = leaf
    for _ in range(_LONGEST_CHAIN):
        if current in anchors:
            return
        issuer = next((item for item in (*anchors, *intermediates) if is_issued_by(current, item)), None)
        if issuer is None or issuer == current:
            break
        if not is_authority(issuer):
            yield Finding(
                message=f"{common_name_of(issuer)} signed {common_name_of(current)} but is not a CA",
                fix="Make the CA with basicConstraints CA:TRUE.",
            )
            return
        yield from _dates(issuer, now)
        current = issuer
    if current not in anchors:
        yield Finding(
            message=f"no chain leads from the certificate {common_name_of(leaf)} to the CA given",
            fix="Give the CA that issued it, and the intermediates after the leaf in the certificate's file.",
        )
