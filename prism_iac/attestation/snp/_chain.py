"""Whether a report was signed by a chip that a given root stands for.

Steps as in attestation.md section 3.1: (2) which key signed; (3) its certificate is there; (4) it is of the
form that AMD gives; (6) to (8) it leads over the intermediate to one of the given roots; (9) all are valid
now; (11) the signature. Not checked: revocation lists, and the parts of the names besides the common name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from prism_iac.attestation.snp._endorsement import Endorsement, read_endorsement
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._guest_policy import SigningKey
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import FailedClaim, InvalidInput
from prism_iac.pki import common_name_of, is_issued_by, parse_certificate, public_key_of

__all__ = ["ChainResult", "verify_chain"]

_ECDSA_P384_SHA384: Final = 1


@dataclass(frozen=True, slots=True)
class _KeyKind:
    leaf: Endorser
    leaf_name: str
    issuer_prefix: str


_KEY_KINDS: Final = {
    SigningKey.VCEK: _KeyKind(Endorser.VCEK, "SEV-VCEK", "SEV-"),
    SigningKey.VLEK: _KeyKind(Endorser.VLEK, "SEV-VLEK", "SEV-VLEK-"),
}
"""The certificate of each kind of key, its common name, and how its issuer's begins."""


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What the certificates say, as far as they could be read, and every claim that failed."""

    endorsement: Endorsement | None
    root: x509.Certificate | None
    failed: tuple[FailedClaim, ...]


def verify_chain(evidence: Evidence, roots: Sequence[x509.Certificate], now: datetime) -> ChainResult:
    """Follow the evidence to a root.

    Args:
        evidence: Its own root certificate is never looked at.
        roots: The trust anchors; certificates among them that are not self-signed serve as intermediates.
        now: The time, aware.
    """
    report = evidence.report
    kind = _KEY_KINDS.get(report.signing_key)
    if kind is None:  # (2)
        return _failed("signing key", "a VCEK or VLEK", "none")
    leaf = _load(evidence.certificates.get(kind.leaf))
    if leaf is None:  # (3)
        return _failed(f"{kind.leaf.name} certificate", "one in the evidence", "none that can be read")
    try:  # (4)
        endorsement = read_endorsement(leaf)
    except InvalidInput as error:
        return _failed(f"{kind.leaf.name} certificate", "a chip's product and TCB", error.findings[0].message)
    ask = _load(evidence.certificates.get(Endorser.ASK))
    intermediates = [item for item in (ask, *roots) if item is not None]
    issuer = next((item for item in intermediates if is_issued_by(leaf, item)), None)
    root = next(
        (root for root in roots if issuer and is_issued_by(issuer, root) and is_issued_by(root, root)), None
    )
    failed = [
        *_names(leaf, issuer, root, kind, endorsement),
        *_dates((leaf, issuer, root), now),
        *_signature(report, leaf),
    ]
    return ChainResult(endorsement, root, tuple(failed))


def _failed(claim: str, expected: str, found: str) -> ChainResult:
    return ChainResult(None, None, (FailedClaim(claim, expected, found),))


def _load(der: bytes | None) -> x509.Certificate | None:
    try:
        return parse_certificate(der) if der is not None else None
    except InvalidInput:
        return None


def _names(
    leaf: x509.Certificate,
    issuer: x509.Certificate | None,
    root: x509.Certificate | None,
    kind: _KeyKind,
    endorsement: Endorsement,
) -> Iterator[FailedClaim]:
    if root is None or issuer is None:  # (6) to (8)
        yield FailedClaim("certificate chain", "a chain to one of the given roots", "no such chain")
        return
    expected = (
        (leaf, kind.leaf_name),
        (issuer, f"{kind.issuer_prefix}{endorsement.product}"),
        (root, f"ARK-{endorsement.product}"),
    )
    for certificate, name in expected:
        if common_name_of(certificate) != f'"{name}"':
            yield FailedClaim("certificate's common name", f'"{name}"', common_name_of(certificate))


def _dates(certificates: Sequence[x509.Certificate | None], now: datetime) -> Iterator[FailedClaim]:
    for certificate in certificates:  # (9)
        if certificate is None:
            continue
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begin <= now <= end:
            name = common_name_of(certificate)
            yield FailedClaim(
                f"date for the certificate {name}", f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}", f"{now:%Y-%m-%d}"
            )


def _signature(report: SnpReport, leaf: x509.Certificate) -> Iterator[FailedClaim]:
    key = public_key_of(leaf)  # (11)
    if report.signature_algo != _ECDSA_P384_SHA384:
        yield FailedClaim("signature algorithm", "1 (ECDSA P-384 with SHA-384)", str(report.signature_algo))
    elif not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        yield FailedClaim("chip's key", "a key on P-384", "a key of another kind")
    else:
        signature = encode_dss_signature(report.signature_r, report.signature_s)
        try:
            key.verify(signature, report.signed_bytes(), ec.ECDSA(SHA384()))
        except InvalidSignature:
            yield FailedClaim("report signature", "one by the chip's key", "one that is not")
