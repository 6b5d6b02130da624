"""Which names an authority may certify (RFC 5280 §4.2.1.10); names of other kinds than DNS and IP are passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from cryptography import x509

from prism_iac.pki._certificate import extension_of

__all__ = ["forbidden_names", "is_refused_as_nameless"]

_HOST: Final = re.compile(r"(\*\.)?[\w:-]+(\.[\w:-]+)*\.?", re.ASCII)
"""What BoringSSL takes for a host name in a common name."""


def is_refused_as_nameless(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether gRPC refuses a leaf because it has no alternative names and its CA limits them.

    BoringSSL does so where a common name looks like a host's: constraints say nothing about it.
    """
    if extension_of(authority, x509.NameConstraints) is None:
        return False
    if extension_of(leaf, x509.SubjectAlternativeName) is not None:
        return False
    common_names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return any(_HOST.fullmatch(str(name.value)) for name in common_names)


def forbidden_names(names: Iterable[x509.GeneralName], authority: x509.Certificate) -> list[str]:
    """Those of the names that an authority must not certify, as text."""
    constraints = extension_of(authority, x509.NameConstraints)
    if constraints is None:
        return []
    permitted, excluded = constraints.permitted_subtrees or (), constraints.excluded_subtrees or ()
    forbidden = []
    for name in names:
        of_its_kind = [subtree for subtree in permitted if type(subtree) is type(name)]
        is_permitted = not of_its_kind or any(_is_within(name, subtree) for subtree in of_its_kind)
        if not is_permitted or any(_is_within(name, subtree) for subtree in excluded):
            forbidden.append(str(name.value))
    return forbidden


def _is_within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    match name, subtree:
        case x509.DNSName(), x509.DNSName():
            return _is_within_domain(name.value, subtree.value)
        case x509.IPAddress(), x509.IPAddress():
            address, network = name.value, subtree.value
            return (
                isinstance(address, IPv4Address | IPv6Address)
                and isinstance(network, IPv4Network | IPv6Network)
                and address in network
            )
        case _:
            return False


def _is_within_domain(name: str, domain: str) -> bool:
    host, parent = name.lower().rstrip("."), domain.lower().rstrip(".")
    if not parent:
        return True
    if parent.startswith("."):  # what is below it, and not itself
        return host.endswith(parent)
    return host == parent or host.endswith(f".{parent}")
