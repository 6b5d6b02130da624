"""Whether a quote was signed by a quoting enclave of a platform that a given root stands for.

Steps as in attestation.md section 4.4: (2) and (3) the platform's certificate leads to one of the given
roots; (4) all are valid now; (5) none is revoked; (6) the quote's signature; (7) the quoting enclave's;
(8) the enclave vouches for the key that signed the quote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from prism_iac.attestation._certificates import check_dates
from prism_iac.attestation._check import Check, compare, fail, judge
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._policy_values import TdxVendor
from prism_iac.attestation._revocation import check_revocation
from prism_iac.attestation._tdx_policy import TdxRootOfTrust
from prism_iac.attestation.tdx._pck import PckClaims, read_pck
from prism_iac.attestation.tdx._quote import TdxQuote
from prism_iac.attestation.tdx._signature import is_signed_by, key_of_point
from prism_iac.errors import InvalidInput
from prism_iac.pki import common_name_of, extensions_of, is_issued_by, load_certificates, public_key_of

__all__ = ["ChainResult", "names_of", "verify_chain"]

_PCK_EXTENSIONS: Final = 6
_MOST_CERTIFICATES: Final = 8
"""More than any chain has; what follows is not looked at."""


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What the platform's certificate says, as far as it could be read, and every check."""

    pck: PckClaims | None
    root: x509.Certificate | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Names:
    leaf: str
    intermediates: tuple[str, ...]
    root: str
    tcb_signing: str


def names_of(vendor: TdxVendor) -> _Names:
    """The common names of a vendor's certificates (attestation.md section 4.4, steps 2 and 9)."""
    return _Names(
        f'"{vendor} SGX PCK Certificate"',
        (f'"{vendor} SGX PCK Platform CA"', f'"{vendor} SGX PCK Processor CA"'),
        f'"{vendor} SGX Root CA"',
        f'"{vendor} SGX TCB Signing"',
    )


def verify_chain(
    quote: TdxQuote,
    expected: TdxRootOfTrust,
    roots: Sequence[x509.Certificate],
    collateral: Collateral,
    now: datetime,
) -> ChainResult:
    """Follow a quote to a root (attestation.md section 4.4, steps 2 to 8).

    Args:
        quote: Its own root certificate is never looked at.
        expected: Whose certificates count, and whether revocation does.
        roots: The trust anchors; certificates among them that are not self-signed serve as intermediates.
        collateral: What else is at hand.
        now: The time, aware.
    """
    try:
        leaf, *others = load_certificates(quote.pck_chain.rstrip(b"\0"))
        pck = read_pck(leaf)
    except InvalidInput as error:
        found = error.findings[0].message
        return ChainResult(None, None, (fail("PCK certificate", "a platform's TCB and kind", found),))
    intermediates = (*others[:_MOST_CERTIFICATES], *collateral.certificates, *roots)
    issuer = next((item for item in intermediates if is_issued_by(leaf, item)), None)
    root = next(
        (root for root in roots if issuer and is_issued_by(issuer, root) and is_issued_by(root, root)), None
    )
    chain = [item for item in (leaf, issuer, root) if item is not None]
    crls, is_asked = collateral.crls, expected.check_crl
    checks = (
        _form(leaf, chain),
        *_names(leaf, issuer, root, names_of(expected.product)),
        *check_dates(chain, now),
        check_revocation([leaf], issuer, crls, now=now, is_asked=is_asked),
        check_revocation([issuer] if issuer else [], root, crls, now=now, is_asked=is_asked),
        *_signatures(quote, leaf),
    )
    return ChainResult(pck, root, checks)


def _form(leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> Check:
    wrong = [
        text
        for text, is_right in (
            ("X.509 v3", all(item.version is x509.Version.v3 for item in chain)),
            ("ECDSA on P-256 with SHA-256", all(map(_is_ecdsa_p256, chain))),
            (f"{_PCK_EXTENSIONS} extensions", len(extensions_of(leaf)) == _PCK_EXTENSIONS),
        )
        if not is_right
    ]
    found = "another" if wrong else "Intel's"
    return judge("certificates' form", ", ".join(wrong) or "Intel's", found, holds=not wrong)


def _is_ecdsa_p256(certificate: x509.Certificate) -> bool:
    key = public_key_of(certificate)
    return (
        isinstance(key, ec.EllipticCurvePublicKey)
        and isinstance(key.curve, ec.SECP256R1)
        and isinstance(certificate.signature_hash_algorithm, SHA256)
    )


def _names(
    leaf: x509.Certificate, issuer: x509.Certificate | None, root: x509.Certificate | None, names: _Names
) -> Iterator[Check]:
    wanted = "a chain to one of the given roots"
    if root is None or issuer is None:
        yield fail("certificate chain", wanted, "no such chain")
        return
    yield judge("certificate chain", wanted, f"a chain to {common_name_of(root)}", holds=True)
    for certificate, allowed in ((leaf, (names.leaf,)), (issuer, names.intermediates), (root, (names.root,))):
        found = common_name_of(certificate)
        yield judge("certificate's common name", " or ".join(allowed), found, holds=found in allowed)


def _signatures(quote: TdxQuote, leaf: x509.Certificate) -> Iterator[Check]:
    key = key_of_point(quote.attestation_key)
    parts = (
        ("quote signature", "the attestation key", key, quote.signature, quote.signed_bytes()),
        (
            "QE report signature",
            "the platform's key",
            public_key_of(leaf),
            quote.qe_report_signature,
            quote.qe_report_bytes,
        ),
    )
    for claim, signer, signing_key, signature, signed in parts:
        holds = is_signed_by(signing_key, signature, signed)
        yield judge(
            claim, f"one by {signer}", f"one by {signer}" if holds else "one that is not", holds=holds
        )
    bound = hashlib.sha256(quote.attestation_key + quote.qe_auth_data).digest() + bytes(32)
    yield compare("QE report data", bound, quote.qe_report.report_data)
