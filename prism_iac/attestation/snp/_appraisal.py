"""Whether the claims of a report are those that a policy expects.

Each rule yields a failed claim for each deviation. The order is that of attestation.md section 3.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from prism_iac.attestation._snp_policy import Expectations, SnpPolicy
from prism_iac.attestation.snp._endorsement import Endorsement
from prism_iac.attestation.snp._guest_policy import SigningKey, guest_policy_violations, platform_violations
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.errors import FailedClaim

__all__ = ["Case", "appraise"]


@dataclass(frozen=True, slots=True)
class Case:
    """One appraisal.

    Attributes:
        endorsement: What the chip's certificate says; None when it could not be read.
        report_data: What the relying party sent; None when only the policy says it.
    """

    report: SnpReport
    policy: SnpPolicy
    endorsement: Endorsement | None
    report_data: bytes | None

    @property
    def expected(self) -> Expectations:
        """The reference values."""
        return self.policy.policy

    @property
    def product(self) -> Product | None:
        """The product that the report tells, or in version 2 the chip's certificate; None when not known."""
        if self.report.has_cpuid or self.endorsement is None:
            return self.report.product
        return self.endorsement.product


_VERBATIM: Final = {
    "report_data": "report data",
    "host_data": "host data",
    "family_id": "family ID",
    "image_id": "image ID",
    "report_id": "report ID",
    "report_id_ma": "migration agent's report ID",
    "measurement": "launch measurement",
    "chip_id": "chip ID",
}
"""The fields that must be equal when the policy has them, and their names."""


def appraise(case: Case) -> tuple[FailedClaim, ...]:
    """Every claim that is not as the policy expects; empty when all are."""
    return tuple(failed for rule in _RULES for failed in rule(case))


def _product(case: Case) -> Iterator[FailedClaim]:
    found, expected = case.product, case.policy.product
    if found is None or found is not expected:
        yield FailedClaim("product", str(expected), str(found or "not known"))
    if case.endorsement and found is not case.endorsement.product:
        yield FailedClaim("product of the chip's certificate", str(found), case.endorsement.product)
    pinned = case.expected.product
    for stepping in (pinned.stepping, pinned.machine_stepping):
        if stepping is not None and stepping != case.report.cpuid_stepping:
            yield FailedClaim("stepping", str(stepping), str(case.report.cpuid_stepping))


def _guest_svn(case: Case) -> Iterator[FailedClaim]:
    minimum = case.expected.minimum_guest_svn
    if minimum is not None and case.report.guest_svn < minimum:
        yield FailedClaim("guest SVN", f"at least {minimum}", str(case.report.guest_svn))


def _guest_policy(case: Case) -> Iterator[FailedClaim]:
    wanted = case.expected.policy or 0
    for violation in guest_policy_violations(case.report.policy, wanted):
        yield FailedClaim("guest policy", f"{wanted:#x}", f"{case.report.policy:#x} ({violation})")


def _verbatim(case: Case) -> Iterator[FailedClaim]:
    for field, name in _VERBATIM.items():
        wanted: bytes | None = getattr(case.expected, field)
        found: bytes = getattr(case.report, field)
        if wanted is not None and wanted != found:
            yield FailedClaim(name, _shown(wanted), _shown(found))
    if case.report_data is not None and case.report_data != case.report.report_data:
        yield FailedClaim("report data", _shown(case.report_data), _shown(case.report.report_data))


def _tcbs(case: Case) -> Iterator[FailedClaim]:
    report, expected = case.report, case.expected
    certified = case.endorsement.tcb if case.endorsement else None
    comparisons = (
        ("launch TCB", report.launch_tcb, expected.minimum_launch_tcb),
        ("reported TCB", report.reported_tcb, expected.minimum_tcb),
        ("reported TCB", report.reported_tcb, certified),
        ("certified TCB", certified, report.reported_tcb),
        ("current TCB", report.current_tcb, certified),
        ("current TCB", report.current_tcb, report.committed_tcb),
    )
    for name, found, minimum in comparisons:
        yield from _tcb_below(case, name, found, minimum)
    if not expected.permit_provisional_firmware:
        yield from _tcb_below(case, "committed TCB", report.committed_tcb, report.current_tcb)


def _tcb_below(case: Case, name: str, found: Tcb | None, minimum: Tcb | None) -> Iterator[FailedClaim]:
    if found is None or minimum is None:
        return
    parts = (case.product or Product.MILAN).tcb_parts
    for index in found.below(minimum):
        yield FailedClaim(
            f"{name}, {parts[index]}", f"at least {minimum.parts[index]}", str(found.parts[index])
        )


def _firmware(case: Case) -> Iterator[FailedClaim]:
    report, expected = case.report, case.expected
    if expected.minimum_build is not None and report.current_build < expected.minimum_build:
        yield FailedClaim("firmware build", f"at least {expected.minimum_build}", str(report.current_build))
    if expected.minimum_version is not None and report.current_version < expected.minimum_version:
        wanted = "{}.{}".format(*expected.minimum_version)
        yield FailedClaim("firmware version", f"at least {wanted}", "{}.{}".format(*report.current_version))
    current = (*report.current_version, report.current_build)
    committed = (*report.committed_version, report.committed_build)
    if committed > current or (committed != current and not expected.permit_provisional_firmware):
        yield FailedClaim(
            "committed firmware", "{}.{} build {}".format(*current), "{}.{} build {}".format(*committed)
        )


def _platform(case: Case) -> Iterator[FailedClaim]:
    wanted = case.expected.platform_info
    if wanted is not None:
        for violation in platform_violations(case.report.platform_info, wanted):
            yield FailedClaim(
                "platform information", f"{wanted:#x}", f"{case.report.platform_info:#x} ({violation})"
            )


def _identity_block(case: Case) -> Iterator[FailedClaim]:
    expected, report = case.expected, case.report
    if not (expected.require_author_key or expected.require_id_block):
        return
    authors = _digests(expected.trusted_author_keys, expected.trusted_author_key_hashes)
    identities = _digests(expected.trusted_id_keys, expected.trusted_id_key_hashes)
    has_author = report.author_key_enabled and report.author_key_digest in authors
    if expected.require_author_key and not has_author:
        yield FailedClaim("author key", "a trusted one", _shown(report.author_key_digest))
    elif not has_author and report.id_key_digest not in identities:
        yield FailedClaim("ID key", "a trusted one", _shown(report.id_key_digest))


def _vmpl(case: Case) -> Iterator[FailedClaim]:
    if case.report.vmpl != case.expected.vmpl:
        yield FailedClaim("VMPL", str(case.expected.vmpl), str(case.report.vmpl))


def _chip(case: Case) -> Iterator[FailedClaim]:
    is_chip_key = case.report.signing_key is SigningKey.VCEK
    if case.endorsement is None or not is_chip_key or not any(case.report.chip_id):
        return
    hwid = (case.endorsement.hwid or b"").ljust(len(case.report.chip_id), b"\0")
    if hwid != case.report.chip_id:
        yield FailedClaim("chip ID", f"{_shown(hwid)} of the certificate", _shown(case.report.chip_id))


def _beyond_the_report(case: Case) -> Iterator[FailedClaim]:
    if case.policy.pcr_values:
        yield FailedClaim("PCR values", "a TPM quote that shows them", "evidence without a TPM quote")
    if case.policy.root_of_trust.check_crl:
        yield FailedClaim("revocation", "a revocation list to look at", "none at hand")


_KEY_FORM: Final = Struct("<I72s72s880x")
"""A public key as the report hashes it, 1028 bytes: curve, QX, QY (attestation.md section 1.10)."""

_CURVE_P384: Final = 2

_LONGEST_SHOWN: Final = 32

_RULES: Final[tuple[Callable[[Case], Iterator[FailedClaim]], ...]] = (
    _product,
    _guest_svn,
    _guest_policy,
    _verbatim,
    _tcbs,
    _firmware,
    _platform,
    _identity_block,
    _vmpl,
    _chip,
    _beyond_the_report,
)


def _digests(keys: Iterable[ec.EllipticCurvePublicKey], digests: Iterable[bytes]) -> set[bytes]:
    return {*digests, *(_key_digest(key) for key in keys)}


def _key_digest(key: ec.EllipticCurvePublicKey) -> bytes:
    numbers = key.public_numbers()
    scalars = (numbers.x.to_bytes(72, "little"), numbers.y.to_bytes(72, "little"))
    return hashlib.sha384(_KEY_FORM.pack(_CURVE_P384, *scalars)).digest()


def _shown(value: bytes) -> str:
    text = value.hex()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:12]}…{text[-4:]}"
