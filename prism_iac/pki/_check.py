"""What is wrong with certificate files, told before anything is sent anywhere.

The checks, in order: (1) the files can be read, each certificate stands there once, and each follows one that it
signed; (2) keys are strong enough, and no signature rests on a broken hash; (3) it is valid now; (4) the
private key is its; (5) it covers the names; (6) it may be used for what it is for; (7) a chain leads to a CA,
through issuers that may sign, may sign these names, and are valid now. Not checked: revocation, and constraints on
names of other kinds than DNS and IP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki._certificate import (
    common_name_of,
    extension_of,
    hash_of,
    is_authority,
    is_issued_by,
    load_certificates,
    public_key_of,
)
from prism_iac.pki._constraints import forbidden_names, is_refused_as_nameless
from prism_iac.pki._key import load_private_key, weakness_of
from prism_iac.pki._side import Side

__all__ = ["check_certificate"]

_LONGEST_CHAIN: Final = 8

_BROKEN_HASHES: Final = ("MD5", "SHA1")

_USAGES: Final = {
    Side.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
    Side.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
}
"""RFC 5280 §4.2.1.12."""


def check_certificate(
    certificate_pem: bytes,
    *,
    now: datetime,
    ca_pem: bytes | None = None,
    key_pem: bytes | None = None,
    names: Sequence[str] = (),
    side: Side | None = None,
) -> list[Finding]:
    """Everything that a peer would refuse about a certificate; empty when it is fine.

    Args:
        certificate_pem: The leaf, then its intermediates if there are any; or CAs alone, whom somebody trusts.
        now: The time, aware.
        ca_pem: The trust anchors; the chain is not checked without them.
        key_pem: The leaf's private key; not checked when left out.
        names: The DNS names and IP addresses that it is reached by.
        side: Which end of a connection it is for; either when left out.
    """
    try:
        leaf, *others = load_certificates(certificate_pem)
    except InvalidInput as error:
        return list(error.findings)
    findings = [*_order(leaf, others), *_key_strength(leaf), *_hashes([leaf, *others])]
    findings += _trusted_dates([leaf, *others], now) if is_authority(leaf) else _dates(leaf, now)
    if key_pem is not None:
        findings += _private_key(leaf, key_pem)
    findings += [*_names(leaf, names), *_usage(leaf, side)]
    if ca_pem is not None:
        findings += _chain(leaf, others, ca_pem, now)
    return findings


def _order(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> Iterator[Finding]:
    file = [leaf, *others]
    for position, item in enumerate(file):
        if item in file[:position]:
            yield Finding(
                message=f"the certificate {common_name_of(item)} stands in the file twice",
                fix="Keep one of them.",
            )
    if is_authority(leaf):
        if not all(is_authority(item) for item in others):
            yield Finding(
                message=f"the file begins with a CA's certificate, {common_name_of(leaf)}",
                fix="Put the leaf first, then each certificate that signed the one before it.",
            )
        return
    for position, item in enumerate(file[1:], start=1):
        if item in file[:position] or any(is_issued_by(earlier, item) for earlier in file[:position]):
            continue
        signed = next((later for later in file[position + 1 :] if is_issued_by(later, item)), None)
        if signed is None:
            yield Finding(
                message=f"the certificate {common_name_of(item)} signed none of the others in the file",
                fix="Remove it, or put in what is missing between them.",
            )
        elif signed != item:
            yield Finding(
                message=f"the certificate {common_name_of(item)} stands before {common_name_of(signed)}, "
                "which it signed",
                fix="Put the leaf first, then each certificate that signed the one before it.",
            )


def _key_strength(certificate: x509.Certificate) -> Iterator[Finding]:
    weakness = weakness_of(public_key_of(certificate))
    if weakness:
        yield Finding(
            message=f"the certificate {common_name_of(certificate)} has {weakness}",
            fix="Issue it for RSA from 2048 bits, P-256, P-384, P-521 or Ed25519.",
        )


def _hashes(certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    for item in certificates:
        algorithm = hash_of(item)
        # Nobody looks at the signature of a root: it is trusted for itself.
        if algorithm in _BROKEN_HASHES and item.issuer != item.subject:
            yield Finding(
                message=f"the certificate {common_name_of(item)} is signed over {algorithm}",
                fix="Issue it again with SHA-256 or better.",
            )


def _trusted_dates(authorities: Sequence[x509.Certificate], now: datetime) -> Iterator[Finding]:
    """One CA that is valid is enough: around a change of CAs, a file holds the next and the last one too."""
    findings = [list(_dates(item, now)) for item in authorities]
    if all(findings):
        for of_one in findings:
            yield from of_one


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


def _usage(leaf: x509.Certificate, side: Side | None) -> Iterator[Finding]:
    usage = extension_of(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature and not (side is None and is_authority(leaf)):
        yield Finding(
            message=f"the key usage of the certificate {common_name_of(leaf)} has no digitalSignature, "
            "so TLS cannot use it",
            fix="Issue it with keyUsage digitalSignature.",
        )
    purposes = extension_of(leaf, x509.ExtendedKeyUsage)
    if side is None or purposes is None:
        return
    if not {_USAGES[side], ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes):
        yield Finding(
            message=f"the certificate {common_name_of(leaf)} is not for a {side}: its extended key usage has no "
            f"{side}Auth",
            fix=f"Issue it with extendedKeyUsage {side}Auth, or without extendedKeyUsage.",
        )


def _chain(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], ca_pem: bytes, now: datetime
) -> Iterator[Finding]:
    try:
        anchors = load_certificates(ca_pem)
    except InvalidInput as error:
        yield from error.findings
        return
    current, below = leaf, 0
    while current not in anchors and below < _LONGEST_CHAIN:
        issuer = next((item for item in (*anchors, *intermediates) if is_issued_by(current, item)), None)
        if issuer is None or issuer == current:
            break
        yield from _issuer(issuer, current, leaf, below=below, now=now)
        if not is_authority(issuer):
            return
        current, below = issuer, below + 1
    if current not in anchors:
        yield Finding(
            message=f"no chain leads from the certificate {common_name_of(leaf)} to the CA given",
            fix="Give the CA that issued it, and the intermediates after the leaf in the certificate's file.",
        )


def _issuer(
    issuer: x509.Certificate, signed: x509.Certificate, leaf: x509.Certificate, *, below: int, now: datetime
) -> Iterator[Finding]:
    """What stands against an issuer that has `below` authorities between itself and the leaf."""
    name = common_name_of(issuer)
    if not is_authority(issuer):
        yield Finding(
            message=f"{name} signed {common_name_of(signed)} but is not a CA",
            fix="Make the CA with basicConstraints CA:TRUE.",
        )
        return
    yield from _key_strength(issuer)
    yield from _dates(issuer, now)
    usage = extension_of(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield Finding(
            message=f"the key usage of the CA {name} has no keyCertSign, so it may sign no certificate",
            fix="Make the CA with keyUsage keyCertSign.",
        )
    constraints = extension_of(issuer, x509.BasicConstraints)
    if constraints is not None and constraints.path_length is not None and below > constraints.path_length:
        yield Finding(
            message=f"the CA {name} allows {constraints.path_length} CAs below it, and here are {below}",
            fix="Sign with a CA that stands higher, or make the CA with a greater pathlen.",
        )
    forbidden = forbidden_names(extension_of(leaf, x509.SubjectAlternativeName) or (), issuer)
    if forbidden:
        yield Finding(
            message=f"the CA {name} may not certify {', '.join(forbidden)} in {common_name_of(leaf)}",
            fix="Issue the certificate without that name, or with a CA that may certify it.",
        )
    if is_refused_as_nameless(leaf, issuer):
        yield Finding(
            message=f"the certificate {common_name_of(leaf)} has no subjectAltName, and the CA {name} limits names, "
            "so gRPC refuses it",
            fix="Issue it with a name, such as the URI urn:prism:client:NAME for a client.",
        )
