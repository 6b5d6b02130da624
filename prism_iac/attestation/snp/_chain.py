"""Whether a report was signed by a chip that a given root stands for.

Steps as in attestation.md section 3.1: (2) which key signed; (3) its certificate is there; (4) it is of the
form that AMD gives; (6) to (8) it leads over the intermediate to one of the given roots; (9) all are valid
now; (10) the intermediate is not revoked; (11) the signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from prism_iac.attestation._certificates import check_dates
from prism_iac.attestation._check import Check, fail, judge
from prism_iac.attestation._revocation import check_revocation
from prism_iac.attestation.snp._endorsement import Endorsement, read_endorsement
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._guest_policy import SigningKey
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.errors import InvalidInput
from prism_iac.pki import common_name_of, is_issued_by, parse_certificate, public_key_of

__all__ = ["ChainResult", "Endorsements", "verify_chain"]

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

_AMD: Final = frozenset(
    {
        (x509.NameOID.COUNTRY_NAME, "US"),
        (x509.NameOID.LOCALITY_NAME, "Santa Clara"),
        (x509.NameOID.STATE_OR_PROVINCE_NAME, "CA"),
        (x509.NameOID.ORGANIZATION_NAME, "Advanced Micro Devices"),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "Engineering"),
    }
)
"""The parts of AMD's names besides the common name (AMD 57230; attestation.md section 2.4)."""

_PSS_SALT_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class Endorsements:
    """What a chain is followed with, besides the evidence.

    Attributes:
        roots: The trust anchors; certificates among them that are not self-signed serve as intermediates.
        certificates: Certificates that the evidence may lack; no trust anchors.
        crls: Revocation lists; each counts when the root has signed it.
        must_check_crl: Whether a list must be there.
    """

    roots: Sequence[x509.Certificate]
    certificates: Sequence[x509.Certificate] = ()
    crls: Sequence[x509.CertificateRevocationList] = ()
    must_check_crl: bool = False


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What the certificates say, as far as they could be read, and every check."""

    endorsement: Endorsement | None
    root: x509.Certificate | None
    checks: tuple[Check, ...]


def verify_chain(evidence: Evidence, given: Endorsements, now: datetime) -> ChainResult:
    """Follow the evidence to a root (attestation.md section 3.1).

    Args:
        evidence: Its own root certificate is never looked at.
        given: What else is at hand.
        now: The time, aware.
    """
    report = evidence.report
    kind = _KEY_KINDS.get(report.signing_key)
    if kind is None:  # (2)
        return _stopped(fail("signing key", "a VCEK or VLEK", "none"))
    name = f"{kind.leaf.name} certificate"
    leaf = _find_leaf(evidence, kind, given)
    if leaf is None:  # (3)
        return _stopped(fail(name, "one in the evidence", "none that can be read"))
    try:  # (4)
        endorsement = read_endorsement(leaf)
    except InvalidInput as error:
        return _stopped(fail(name, "a chip's product and TCB", error.findings[0].message))
    ask = _load(evidence.certificates.get(Endorser.ASK))
    intermediates = [item for item in (ask, *given.certificates, *given.roots) if item is not None]
    issuer = next((item for item in intermediates if is_issued_by(leaf, item)), None)
    root = next(
        (root for root in given.roots if issuer and is_issued_by(issuer, root) and is_issued_by(root, root)),
        None,
    )
    chain = [item for item in (leaf, issuer, root) if item is not None]
    checks = [
        judge("signing key", "a VCEK or VLEK", kind.leaf.name, holds=True),
        _form(chain, kind, endorsement),
        *_names(leaf, issuer, root, kind, endorsement),
        *check_dates(chain, now),
        check_revocation(
            [issuer] if issuer else [],
            root,
            (*given.crls, *evidence.crls()),
            now=now,
            is_asked=given.must_check_crl,
        ),
        *_signature(report, leaf),
    ]
    return ChainResult(endorsement, root, tuple(checks))


def _stopped(check: Check) -> ChainResult:
    return ChainResult(None, None, (check,))


def _find_leaf(evidence: Evidence, kind: _KeyKind, given: Endorsements) -> x509.Certificate | None:
    if kind.leaf in evidence.certificates:
        return _load(evidence.certificates[kind.leaf])
    return next((item for item in given.certificates if _signed(evidence.report, item, kind)), None)


def _signed(report: SnpReport, certificate: x509.Certificate, kind: _KeyKind) -> bool:
    if common_name_of(certificate) != f'"{kind.leaf_name}"':
        return False
    return all(check.outcome == "pass" for check in _signature(report, certificate))


def _load(der: bytes | None) -> x509.Certificate | None:
    try:
        return parse_certificate(der) if der is not None else None
    except InvalidInput:
        return None


def _form(chain: Sequence[x509.Certificate], kind: _KeyKind, endorsement: Endorsement) -> Check:
    """Whether the certificates are of the form that AMD gives (step 4)."""
    wrong = [
        text
        for text, is_right in (
            ("a chip in a VCEK alone", (endorsement.hwid is not None) == (kind.leaf is Endorser.VCEK)),
            ("a provider in a VLEK alone", (endorsement.csp_id is not None) == (kind.leaf is Endorser.VLEK)),
            ("X.509 v3", all(item.version is x509.Version.v3 for item in chain)),
            ("RSA-PSS with SHA-384", endorsement.product.is_simulated or all(map(_is_pss_sha384, chain))),
            ("names of AMD", endorsement.product.is_simulated or all(map(_is_of_amd, chain))),
        )
        if not is_right
    ]
    return judge(
        "certificates' form", ", ".join(wrong) or "AMD's", "another" if wrong else "AMD's", holds=not wrong
    )


def _is_pss_sha384(certificate: x509.Certificate) -> bool:
    parameters = certificate.signature_algorithm_parameters
    return (
        isinstance(parameters, padding.PSS)
        and parameters._salt_length == _PSS_SALT_BYTES  # noqa: SLF001  # the library offers no other way to read it
        and isinstance(certificate.signature_hash_algorithm, SHA384)
    )


def _is_of_amd(certificate: x509.Certificate) -> bool:
    return all(
        {(part.oid, part.value) for part in name if part.oid != x509.NameOID.COMMON_NAME} == _AMD
        for name in (certificate.subject, certificate.issuer)
    )


def _names(
    leaf: x509.Certificate,
    issuer: x509.Certificate | None,
    root: x509.Certificate | None,
    kind: _KeyKind,
    endorsement: Endorsement,
) -> Iterator[Check]:
    wanted = "a chain to one of the given roots"
    if root is None or issuer is None:  # (6) to (8)
        yield fail("certificate chain", wanted, "no such chain")
        return
    yield judge("certificate chain", wanted, f"a chain to {common_name_of(root)}", holds=True)
    expected = (
        (leaf, kind.leaf_name),
        (issuer, f"{kind.issuer_prefix}{endorsement.product}"),
        (root, f"ARK-{endorsement.product}"),
    )
    for certificate, name in expected:
        found = common_name_of(certificate)
        yield judge("certificate's common name", f'"{name}"', found, holds=found == f'"{name}"')


def _signature(report: SnpReport, leaf: x509.Certificate) -> Iterator[Check]:
    key = public_key_of(leaf)  # (11)
    if report.signature_algo != _ECDSA_P384_SHA384:
        yield fail("signature algorithm", "1 (ECDSA P-384 with SHA-384)", str(report.signature_algo))
    elif not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        yield fail("chip's key", "a key on P-384", "a key of another kind")
    else:
        signature = encode_dss_signature(report.signature_r, report.signature_s)
        try:
            key.verify(signature, report.signed_bytes(), ec.ECDSA(SHA384()))
        except InvalidSignature:
            yield fail("report signature", "one by the chip's key", "one that is not")
        else:
            yield judge("report signature", "one by the chip's key", "one by the chip's key", holds=True)
