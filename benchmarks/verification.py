"""Verification of evidence from its bytes, beside the bare checks of the signatures that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from benchmarks.figures import Figure, compare, seconds_of
from prism_iac.attestation import (
    Evidence,
    Nonce,
    PolicyDocument,
    SimulatedPlatform,
    VmEvidence,
    policy_from_evidence,
    verify_evidence,
)

__all__ = ["measure"]

_NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
_NONCE: Final = Nonce.of(b"n" * 64)
_MILLISECONDS_AT_MOST: Final = 2.0
_TIMES: Final = 50
"""How often an act is done for one value, so that the clock does not matter."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """A report with a chain of RSA-4096 keys, as AMD's: its signature and three links."""
    platform = SimulatedPlatform.create(chip_id=b"c" * 64, now=_NOW)
    evidence = platform.attest(measurement=b"m" * 48, report_data=_NONCE.tee, report_id=b"r" * 32)
    policy = policy_from_evidence(evidence.report)
    subject, reference = _verification(platform, evidence, policy), _bare_checks(platform, evidence)
    subject()  # what is made at the first use is there from now on
    rounds = [(_seconds(subject), _seconds(reference)) for _ in range(5 if quick else 30)]
    taken, bare = zip(*rounds, strict=True)
    milliseconds = tuple(1000 * seconds for seconds in taken)
    yield Figure("verification of a report with its chain", "ms", milliseconds, _MILLISECONDS_AT_MOST)
    yield compare("verification of a report beside bare signature checks", taken, bare)


def _verification(
    platform: SimulatedPlatform, evidence: Evidence, policy: PolicyDocument
) -> Callable[[], object]:
    data, roots = evidence.to_bytes(), platform.root_pem
    return lambda: verify_evidence(VmEvidence.parse(data), policy, now=_NOW, nonce=_NONCE, roots=roots)


def _bare_checks(platform: SimulatedPlatform, evidence: Evidence) -> Callable[[], object]:
    report = evidence.report
    signature, signed = encode_dss_signature(report.signature_r, report.signature_s), report.signed_bytes()
    key = platform.vcek.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    links: tuple[tuple[x509.Certificate, x509.Certificate], ...] = (
        (platform.vcek, platform.ask),
        (platform.ask, platform.ark),
        (platform.ark, platform.ark),
    )

    def check() -> None:
        key.verify(signature, signed, ec.ECDSA(SHA384()))
        for certificate, issuer in links:
            certificate.verify_directly_issued_by(issuer)

    return check


def _seconds(act: Callable[[], object]) -> float:
    return seconds_of(lambda: [act() for _ in range(_TIMES)]) / _TIMES
