"""Whether the claims of a report are those that a policy expects.

Each rule yields its checks, whichever way they end. The order is that of attestation.md section 3.2; the
mitigation vectors of version 5 and the options of the certificate table have no field in policy files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from prism_iac.attestation._check import Check, compare, fail, judge, not_asked, shown
from prism_iac.attestation._snp_policy import Expectations, SnpPolicy
from prism_iac.attestation.snp._endorsement import Endorsement
from prism_iac.attestation.snp._guest_policy import SigningKey, guest_policy_violations, platform_violations
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb

__all__ = ["Case", "appraise"]


@dataclass(frozen=True, slots=True)
class Case:
    """One appraisal.

    Attributes:
        endorsement: What the chip's certificate says; None when it could not be read.
        report_data: What the relying party sent; None when only the policy says it.
        has_tpm: Whether a TPM quote came with the report, so that PCRs are checked beside this.
    """

    report: SnpReport
    policy: SnpPolicy
    endorsement: Endorsement | None
    report_data: bytes | None
    has_tpm: bool = False

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


def appraise(case: Case) -> tuple[Check, ...]:
    """Every check of a report's claims (attestation.md section 3.2)."""
    return tuple(check for rule in _RULES for check in rule(case))


def _product(case: Case) -> Iterator[Check]:
    found, expected = case.product, case.policy.product
    yield judge(
        "product",
        str(expected),
        str(found or "not known"),
        holds=found is not None and found is expected,
    )
    if case.endorsement:
        certified = case.endorsement.product
        yield judge("product of the chip's certificate", str(found), certified, holds=found is certified)
    pinned = case.expected.product
    for stepping in (pinned.stepping, pinned.machine_stepping):
        if stepping is not None:
            found_stepping = case.report.cpuid_stepping
            yield judge("stepping", str(stepping), str(found_stepping), holds=stepping == found_stepping)


def _guest_svn(case: Case) -> Iterator[Check]:
    yield _at_least("guest SVN", case.expected.minimum_guest_svn, case.report.guest_svn)


def _guest_policy(case: Case) -> Iterator[Check]:
    yield from _bits(
        "guest policy",
        case.expected.policy or 0,
        case.report.policy,
        guest_policy_violations(case.report.policy, case.expected.policy or 0),
    )


def _verbatim(case: Case) -> Iterator[Check]:
    for field, name in _VERBATIM.items():
        wanted: bytes | None = getattr(case.expected, field)
        found: bytes = getattr(case.report, field)
        if wanted is not None or field != "report_data" or case.report_data is None:
            yield compare(name, wanted, found)
    if case.report_data is not None:
        yield compare("report data", case.report_data, case.report.report_data)


def _tcbs(case: Case) -> Iterator[Check]:
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
        yield from _tcb_at_least(case, name, found, minimum)
    if not expected.permit_provisional_firmware:
        yield from _tcb_at_least(case, "committed TCB", report.committed_tcb, report.current_tcb)


def _tcb_at_least(case: Case, name: str, found: Tcb | None, minimum: Tcb | None) -> Iterator[Check]:
    """One check of all parts when they hold, else one of each part that does not."""
    if found is None:
        return
    if minimum is None:
        yield not_asked(name, str(found))
        return
    parts = (case.product or Product.MILAN).tcb_parts
    below = found.below(minimum)
    for index in below:
        yield fail(f"{name}, {parts[index]}", f"at least {minimum.parts[index]}", str(found.parts[index]))
    if not below:
        yield judge(name, f"at least {minimum}", str(found), holds=True)


def _firmware(case: Case) -> Iterator[Check]:
    report, expected = case.report, case.expected
    yield _at_least("firmware build", expected.minimum_build, report.current_build)
    found = "{}.{}".format(*report.current_version)
    if expected.minimum_version is None:
        yield not_asked("firmware version", found)
    else:
        wanted = "at least {}.{}".format(*expected.minimum_version)
        yield judge(
            "firmware version", wanted, found, holds=report.current_version >= expected.minimum_version
        )
    current = (*report.current_version, report.current_build)
    committed = (*report.committed_version, report.committed_build)
    yield judge(
        "committed firmware",
        "{}.{} build {}".format(*current),
        "{}.{} build {}".format(*committed),
        holds=committed == current or (expected.permit_provisional_firmware and committed < current),
    )


def _platform(case: Case) -> Iterator[Check]:
    wanted, found = case.expected.platform_info, case.report.platform_info
    if wanted is None:
        yield not_asked("platform information", f"{found:#x}")
    else:
        yield from _bits("platform information", wanted, found, platform_violations(found, wanted))


def _identity_block(case: Case) -> Iterator[Check]:
    expected, report = case.expected, case.report
    authors = _digests(expected.trusted_author_keys, expected.trusted_author_key_hashes)
    identities = _digests(expected.trusted_id_keys, expected.trusted_id_key_hashes)
    has_author = report.author_key_enabled and report.author_key_digest in authors
    author, identity = shown(report.author_key_digest), shown(report.id_key_digest)
    if expected.require_author_key:
        yield judge("author key", "a trusted one", author, holds=has_author)
    elif expected.require_id_block:
        holds = has_author or report.id_key_digest in identities
        yield judge("ID key", "a trusted one", identity, holds=holds)
    else:
        yield not_asked("author key", author)
        yield not_asked("ID key", identity)


def _vmpl(case: Case) -> Iterator[Check]:
    wanted, found = case.expected.vmpl, case.report.vmpl
    yield judge("VMPL", str(wanted), str(found), holds=wanted == found)


def _chip(case: Case) -> Iterator[Check]:
    is_chip_key = case.report.signing_key is SigningKey.VCEK
    if case.endorsement is None or not is_chip_key or not any(case.report.chip_id):
        return
    hwid = (case.endorsement.hwid or b"").ljust(len(case.report.chip_id), b"\0")
    found = case.report.chip_id
    yield judge("chip ID", f"{shown(hwid)} of the certificate", shown(found), holds=hwid == found)


def _beyond_the_report(case: Case) -> Iterator[Check]:
    if not case.has_tpm:
        wanted, found = "a TPM quote that shows them", "evidence without a TPM quote"
        yield fail("PCR values", wanted, found) if case.policy.pcr_values else not_asked("PCR values", found)


def _at_least(claim: str, minimum: int | None, found: int) -> Check:
    if minimum is None:
        return not_asked(claim, str(found))
    return judge(claim, f"at least {minimum}", str(found), holds=found >= minimum)


def _bits(claim: str, wanted: int, found: int, violations: Iterable[str]) -> Iterator[Check]:
    """One check when all bits hold, else one of each that does not."""
    wrong = tuple(violations)
    for violation in wrong:
        yield fail(claim, f"{wanted:#x}", f"{found:#x} ({violation})")
    if not wrong:
        yield judge(claim, f"{wanted:#x}", f"{found:#x}", holds=True)


_KEY_FORM: Final = Struct("<I72s72s880x")
"""A public key as the report hashes it, 1028 bytes: curve, QX, QY (attestation.md section 1.10)."""

_CURVE_P384: Final = 2

_RULES: Final[tuple[Callable[[Case], Iterator[Check]], ...]] = (
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
