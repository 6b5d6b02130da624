"""What stands in the certificates of this room: names, extensions and dates.

Source: prism-rest.md section 5.2, with what strict verifiers want besides (RFC 5280 §4.2.1.1 to §4.2.1.3: key
identifiers, and the key usage of a CA); RFC 8813 §3 and RFC 8410 §5 for the key usage of keys that cannot
encipher.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from prism_iac.model.resources import Subject
from prism_iac.pki._certificate import extension_of
from prism_iac.pki._findings import invalid
from prism_iac.pki._key import PublicKey

__all__ = [
    "NO_MORE_PARTS",
    "AlternativeNames",
    "Permitted",
    "Window",
    "authority_extensions",
    "distinguished_name",
    "leaf_extensions",
    "permitted_by",
    "window",
]

NO_MORE_PARTS: Final = Subject()
"""A subject of a common name alone."""

_CLOCK_SKEW: Final = timedelta(minutes=10)
"""Certificates begin this much before they are made: peers' clocks differ."""

_LATEST_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280 §4.1.2.5: the last moment that a certificate can name."""

_NAME_PARTS: Final = {
    x509.NameOID.ORGANIZATION_NAME: ("organization", 64),
    x509.NameOID.ORGANIZATIONAL_UNIT_NAME: ("organizational unit", 64),
    x509.NameOID.COMMON_NAME: ("common name", 64),
    x509.NameOID.EMAIL_ADDRESS: ("email address", 255),
}
"""RFC 5280 appendix A.1: the upper bounds of the parts of a name."""


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """What a leaf may be reached as (SAN)."""

    dns_names: Sequence[str] = ()
    ip_addresses: Sequence[str] = ()
    uris: Sequence[str] = ()

    def general_names(self) -> list[x509.GeneralName]:
        """The names in the library's form.

        Raises:
            InvalidInput: One of them is not of its kind.
        """
        return [
            *(_general_name(x509.DNSName, name, "dns_names") for name in self.dns_names),
            *(_ip_name(address) for address in self.ip_addresses),
            *(_general_name(x509.UniformResourceIdentifier, uri, "uris") for uri in self.uris),
        ]


@dataclass(frozen=True, slots=True)
class Permitted:
    """The only names that an authority may certify (RFC 5280 §4.2.1.10).

    Attributes:
        dns_names: Domains; each permits itself and what is below it.
        ip_ranges: Networks such as `10.0.0.0/8`, or single addresses.
    """

    dns_names: Sequence[str] = ()
    ip_ranges: Sequence[str] = ()

    def constraints(self) -> x509.NameConstraints:
        """The extension; a kind of name that nothing is permitted of is excluded as a whole.

        Raises:
            InvalidInput: A name is not of its kind, or nothing is permitted at all.
        """
        if not self.dns_names and not self.ip_ranges:
            raise invalid(
                "an authority that may certify no name is of no use", "Permit a domain or a network."
            )
        excluded: list[x509.GeneralName] = []
        if not self.dns_names:
            excluded.append(x509.DNSName(""))
        if not self.ip_ranges:
            excluded += [x509.IPAddress(ip_network(everything)) for everything in ("0.0.0.0/0", "::/0")]
        return x509.NameConstraints(
            permitted_subtrees=[
                *(_general_name(x509.DNSName, name, "permitted dns_names") for name in self.dns_names),
                *(_ip_range(text) for text in self.ip_ranges),
            ],
            excluded_subtrees=excluded or None,
        )


def _ip_range(value: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_network(value))
    except ValueError as error:
        raise invalid(f"{value!r} is not a network", "Write it as 10.0.0.0/8, or as one address.") from error


def _general_name(
    kind: type[x509.DNSName | x509.UniformResourceIdentifier], value: str, field: str
) -> x509.GeneralName:
    try:
        return kind(value)
    except ValueError as error:
        raise invalid(
            f"{field}: {value!r} has characters beyond ASCII", "Write an international name in its xn-- form."
        ) from error


def _ip_name(value: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(value))
    except ValueError as error:
        raise invalid(
            f"ip_addresses: {value!r} is not an IP address", "Names belong to dns_names."
        ) from error


def distinguished_name(common_name: str, subject: Subject) -> x509.Name:
    """The subject CN, O, OU, emailAddress; parts without a value are left out.

    Raises:
        InvalidInput: A part is empty, too long or not of its alphabet.
    """
    parts = (
        (x509.NameOID.COMMON_NAME, common_name),
        (x509.NameOID.ORGANIZATION_NAME, subject.organization),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, subject.organizational_unit),
        (x509.NameOID.EMAIL_ADDRESS, subject.email),
    )
    return x509.Name([_name_part(oid, value) for oid, value in parts if value is not None])


def _name_part(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    what, longest = _NAME_PARTS[oid]
    is_ascii_or_free = value.isascii() or oid != x509.NameOID.EMAIL_ADDRESS
    try:
        value.encode()
        if 0 < len(value) <= longest and is_ascii_or_free:
            return x509.NameAttribute(oid, value)
    except ValueError:  # a lone surrogate, or what else the library finds
        pass
    raise invalid(
        f"{value[:longest]!r} does not fit into a certificate as its {what}",
        f"It has 1 to {longest} characters; an email address is ASCII.",
    )


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when a certificate is valid, UTC, whole seconds."""

    not_before: datetime
    not_after: datetime


def window(now: datetime, validity: timedelta, *, latest_end: datetime = _LATEST_END) -> Window:
    """The dates of a certificate that is made now.

    Args:
        now: The time, aware.
        validity: How long from now.
        latest_end: The issuer's own end; what it signs never outlives it.

    Raises:
        InvalidInput: The validity is not positive, or the issuer's end is past.
    """
    if validity <= timedelta(0):
        raise invalid("the validity of a certificate must be positive", "Write a duration such as 365d.")
    begin = now.astimezone(UTC).replace(microsecond=0)
    if latest_end <= begin:
        raise invalid(
            f"the authority's own certificate ended on {latest_end:%Y-%m-%d}", "Make a new authority."
        )
    end = latest_end if validity > latest_end - begin else begin + validity
    return Window(begin - _CLOCK_SKEW, end.replace(microsecond=0))


def authority_extensions(
    key: PublicKey,
    *,
    issuer: PublicKey | None = None,
    path_length: int = 0,
    permitted: Permitted | None = None,
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """The extensions of an authority, each with whether it is critical.

    Args:
        key: Its own key.
        issuer: The key that signs it; None for a root.
        path_length: How many authorities may follow below it.
        permitted: The only names that it may certify; None for any.
    """
    yield x509.BasicConstraints(ca=True, path_length=path_length), True
    yield _usage(digital_signature=True, key_cert_sign=True, crl_sign=True), True
    yield x509.SubjectKeyIdentifier.from_public_key(key), False
    if issuer is not None:
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False
    if permitted is not None:
        yield permitted.constraints(), True


def leaf_extensions(
    key: PublicKey, issuer: PublicKey, names: AlternativeNames
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """The extensions of a leaf, each with whether it is critical; no alternative names, no such extension."""
    yield x509.BasicConstraints(ca=False, path_length=None), False
    can_encipher = isinstance(key, rsa.RSAPublicKey)
    yield _usage(digital_signature=True, content_commitment=True, key_encipherment=can_encipher), False
    yield x509.SubjectKeyIdentifier.from_public_key(key), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False
    if general_names := names.general_names():
        yield x509.SubjectAlternativeName(general_names), False


def _usage(
    *,
    digital_signature: bool,
    content_commitment: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,  # called nonRepudiation before X.509 (2000)
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def permitted_by(authority: x509.Certificate) -> Permitted | None:
    """The only names that an authority may certify; None for any."""
    constraints = extension_of(authority, x509.NameConstraints)
    if constraints is None:
        return None
    permitted = constraints.permitted_subtrees or ()
    return Permitted(
        [name.value for name in permitted if isinstance(name, x509.DNSName)],
        [str(name.value) for name in permitted if isinstance(name, x509.IPAddress)],
    )
