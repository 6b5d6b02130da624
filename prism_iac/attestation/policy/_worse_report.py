"""Each field of an SEV-SNP report made worse than it is.

Source: attestation.md sections 2.1 to 2.3 (the fields) and 3.3 to 3.7 (what is worse, and which field of policy
files speaks of it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from prism_iac.attestation.snp._guest_policy import (
    GUEST_AT_LEAST,
    GUEST_AT_MOST,
    PLATFORM_AT_LEAST,
    PLATFORM_AT_MOST,
    RESERVED_BIT,
    BitRule,
    SigningKey,
)
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb

__all__ = ["WorseReport", "one_bit_flipped", "worse_reports"]


@dataclass(frozen=True, slots=True)
class WorseReport:
    """A report with one thing changed; `field` is that of policy files, empty when there is none."""

    claim: str
    change: str
    field: str
    report: SnpReport


_VERBATIM: Final = {
    "measurement": ("launch measurement", "policy.measurement"),
    "host_data": ("host data", "policy.hostData"),
    "report_data": ("report data", "policy.reportData"),
    "family_id": ("family ID", "policy.familyId"),
    "image_id": ("image ID", "policy.imageId"),
    "report_id": ("report ID", "policy.reportId"),
    "report_id_ma": ("migration agent's report ID", "policy.reportIdMa"),
    "chip_id": ("chip ID", "policy.chipId"),
    "id_key_digest": ("ID key", "policy.requireIdBlock"),
    "author_key_digest": ("author key", "policy.requireAuthorKey"),
}
"""The fields that are bytes."""

_VLEK_BITS: Final = SigningKey.VLEK << 2
_OTHER_CPUIDS: Final = ((0x19, 0x01), (0x19, 0x11), (0x1A, 0x02))
"""Family and model of Milan, Genoa and Turin."""


def worse_reports(report: SnpReport, product: Product) -> Iterator[WorseReport]:
    """Every report that is worse in one thing; none for what is as bad as can be (attestation.md section 3)."""
    for field, (claim, policy_field) in _VERBATIM.items():
        changed: dict[str, Any] = {field: one_bit_flipped(getattr(report, field))}
        yield WorseReport(claim, "one bit flipped", policy_field, replace(report, **changed))
    for level in range(4):
        if level != report.vmpl:
            yield WorseReport("VMPL", f"{level}", "policy.vmpl", replace(report, vmpl=level))
    yield from _bits(report)
    yield from _versions(report, product)
    yield from _processors(report)
    yield from _signers(report)


def one_bit_flipped(value: bytes) -> bytes:
    """The same but for the last bit."""
    return value[:-1] + bytes((value[-1] ^ 1,))


def _bits(report: SnpReport) -> Iterator[WorseReport]:
    if report.policy & 0xFFFF:
        lower = report.policy & ~0xFFFF | (report.policy & 0xFFFF) - 1
        yield WorseReport("guest policy", "lower ABI", "policy.policy", replace(report, policy=lower))
    for rule, value in _worse_bits(report.policy, GUEST_AT_MOST, GUEST_AT_LEAST):
        changed = replace(report, policy=value)
        yield WorseReport("guest policy", _told(rule, report.policy), "policy.policy", changed)
    for rule, value in _worse_bits(report.platform_info, PLATFORM_AT_MOST, PLATFORM_AT_LEAST):
        changed = replace(report, platform_info=value)
        told = _told(rule, report.platform_info)
        yield WorseReport("platform information", told, "policy.platformInfo", changed)


def _worse_bits(
    found: int, at_most: Iterable[BitRule], at_least: Iterable[BitRule]
) -> Iterator[tuple[BitRule, int]]:
    for rule in at_most:
        if rule.meaning != RESERVED_BIT and not found >> rule.bit & 1:
            yield rule, found | 1 << rule.bit
    for rule in at_least:
        if found >> rule.bit & 1:
            yield rule, found & ~(1 << rule.bit)


def _told(rule: BitRule, found: int) -> str:
    return f"{rule.meaning} {'off' if found >> rule.bit & 1 else 'on'}"


def _versions(report: SnpReport, product: Product) -> Iterator[WorseReport]:
    if report.guest_svn:
        lower = replace(report, guest_svn=report.guest_svn - 1)
        yield WorseReport("guest SVN", "one lower", "policy.minimumGuestSvn", lower)
    for index, part in enumerate(product.tcb_parts):
        if report.reported_tcb.parts[index]:
            # A platform that runs older firmware has it in all of these.
            changed = replace(
                report,
                current_tcb=_lowered(report.current_tcb, index),
                reported_tcb=_lowered(report.reported_tcb, index),
                committed_tcb=_lowered(report.committed_tcb, index),
                launch_tcb=_lowered(report.launch_tcb, index),
            )
            yield WorseReport("TCB", f"{part} one lower", "policy.minimumTcb", changed)
        if report.launch_tcb.parts[index]:
            changed = replace(report, launch_tcb=_lowered(report.launch_tcb, index))
            yield WorseReport("launch TCB", f"{part} one lower", "policy.minimumLaunchTcb", changed)
    for part, field in (("major", "minimumVersion"), ("minor", "minimumVersion"), ("build", "minimumBuild")):
        names = (f"current_{part}", f"committed_{part}")
        if all(getattr(report, name) for name in names):
            values: dict[str, Any] = {name: getattr(report, name) - 1 for name in names}
            yield WorseReport("firmware", f"{part} one lower", f"policy.{field}", replace(report, **values))
    if report.committed_build:
        behind = replace(report, committed_build=report.committed_build - 1)
        field = "policy.permitProvisionalFirmware"
        yield WorseReport("committed firmware", "behind the one that runs", field, behind)


def _lowered(tcb: Tcb, index: int) -> Tcb:
    parts = bytearray(tcb.parts)
    parts[index] -= bool(parts[index])
    return Tcb(bytes(parts))


def _processors(report: SnpReport) -> Iterator[WorseReport]:
    if not report.has_cpuid:
        return
    for family, model in _OTHER_CPUIDS:
        other = replace(report, cpuid_family=family, cpuid_model=model)
        if other.product is not report.product:
            yield WorseReport("product", str(other.product), "policy.product", other)
    other = replace(report, cpuid_stepping=report.cpuid_stepping ^ 1)
    yield WorseReport("stepping", f"{other.cpuid_stepping}", "policy.product.machineStepping", other)


def _signers(report: SnpReport) -> Iterator[WorseReport]:
    if report.signing_key is SigningKey.VCEK:
        other = replace(report, signer_info=report.signer_info | _VLEK_BITS)
        yield WorseReport("signing key", "of a cloud provider", "", other)
    for field in ("launch_mit_vector", "current_mit_vector"):
        if value := getattr(report, field):
            changed: dict[str, Any] = {field: value & value - 1}
            yield WorseReport("mitigations", "one less", "", replace(report, **changed))
