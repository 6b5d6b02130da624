"""Whether a root vouches for an attestation key, where no report does.

Source: RFC 5280 §6.1 as far as a chain of a few certificates needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509

from prism_iac.attestation._certificates import check_dates
from prism_iac.attestation._check import Check, fail, judge
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._revocation import check_revocation
from prism_iac.attestation.tpm._evidence import TpmEvidence
from prism_iac.attestation.tpm._quotes import key_of_area
from prism_iac.attestation.tpm._structures import PublicArea
from prism_iac.errors import InvalidInput
from prism_iac.pki import common_name_of, is_authority, is_issued_by, parse_certificate, public_key_of

__all__ = ["SIMULATED_NAME", "ChainResult", "verify_chain"]

SIMULATED_NAME: Final = '"SIMULATED'
"""How the names of roots begin that this package makes."""

_LONGEST_CHAIN: Final = 5


@dataclass(frozen=True, slots=True)
class ChainResult:
    """The root, where the key's certificate leads to one, and every check."""

    root: x509.Certificate | None
    checks: tuple[Check, ...]


def verify_chain(
    evidence: TpmEvidence,
    roots: Sequence[x509.Certificate],
    collateral: Collateral,
    *,
    now: datetime,
    must_check_crl: bool,
    must_be_simulated: bool,
) -> ChainResult:
    """Follow an attestation key's certificate to a root (RFC 5280 §6.1).

    Args:
        evidence: The key, its certificate and its issuers'.
        roots: The trust anchors.
        collateral: What else is at hand.
        now: The time, aware.
        must_check_crl: Whether every issuer's revocation list must be there.
        must_be_simulated: Whether the policy is for simulated platforms; no other accepts one.
    """
    try:
        leaf = parse_certificate(evidence.ak_certificate)
        key = key_of_area(PublicArea.parse(evidence.ak_public))
        others = [parse_certificate(item) for item in evidence.intermediates]
    except InvalidInput:
        return ChainResult(None, (fail("attestation key's certificate", "one of this key", "none"),))
    of_key = "one of this key"
    holds = key is not None and public_key_of(leaf) == key
    checks = [
        judge("attestation key's certificate", of_key, of_key if holds else "one of another", holds=holds)
    ]
    chain = _chain(leaf, [*others, *collateral.certificates], roots)
    root = chain[-1] if chain[-1] in roots and is_issued_by(chain[-1], chain[-1]) else None
    wanted = "a chain to one of the given roots"
    found = f"a chain to {common_name_of(root)}" if root else "no such chain"
    checks.append(judge("certificate chain", wanted, found, holds=root is not None))
    if root is not None:
        is_simulated = common_name_of(root).startswith(SIMULATED_NAME)
        checks.append(
            judge(
                "product",
                "SIMULATED" if must_be_simulated else "hardware",
                "SIMULATED" if is_simulated else "hardware",
                holds=is_simulated == must_be_simulated,
            )
        )
    checks += _links(chain, collateral, now, must_check_crl=must_check_crl)
    return ChainResult(root, tuple(checks))


def _chain(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    chain = [leaf]
    while len(chain) < _LONGEST_CHAIN:
        issuers = [item for item in (*roots, *others) if is_authority(item) and is_issued_by(chain[-1], item)]
        if not issuers or issuers[0] in chain:
            break
        chain.append(issuers[0])
    return chain


def _links(
    chain: Sequence[x509.Certificate], collateral: Collateral, now: datetime, *, must_check_crl: bool
) -> Iterator[Check]:
    yield from check_dates(chain, now)
    for certificate, issuer in pairwise(chain):
        yield check_revocation([certificate], issuer, collateral.crls, now=now, is_asked=must_check_crl)
