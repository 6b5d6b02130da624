"""Attestation policies: one source each, one file each, what they name is there, and never an empty expectation.

What a declared policy must say besides is found when evidence is held against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from prism_iac.attestation import PolicyDocument, SnpPolicy
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import UNKNOWN, Location, Refusal, VmProvider, findings_of, shown
from prism_iac.model.resources import AttestationPolicy
from prism_iac.model.stack import PolicyEntry
from prism_iac.spec._draft import Draft
from prism_iac.spec._policy_files import LAUNCH_FILES, policy_path
from prism_iac.spec.checks._public_key import check_public_key

__all__ = ["check_policies"]

_WITHOUT_TPM: Final = frozenset({VmProvider.LOCAL, VmProvider.QEMU})


def check_policies(draft: Draft) -> Iterator[Finding]:
    """Policies without a source or with two, and files that two policies write."""
    written_by: dict[str, str] = {}
    for name, policy in draft.attestation_policies.items():
        location = ("attestation_policies", name)
        yield from _source(draft, location, name, policy)
        yield from _files(draft, location, policy)
        yield from _manifest(draft, location, policy)
        path = policy_path(name, policy)
        if path.is_absolute() or ".." in path.parts:
            yield draft.finding(
                (*location, "path"),
                f"{shown(str(path))} lies outside of the project folder",
                "Choose a path inside of it.",
            )
        other = written_by.setdefault(str(path).casefold(), name)
        if other != name:
            yield draft.finding(
                (*location, "path"),
                f'"{other}" writes {shown(str(path))} too',
                "Give each policy a file of its own.",
            )


def _source(draft: Draft, location: Location, name: str, policy: PolicyEntry) -> Iterator[Finding]:
    values = policy.model_dump() | {"path": str(policy_path(name, policy))}
    if policy.signed_by is not None:
        values["signed_by"] = UNKNOWN  # the key is in a file, which another check reads
    try:
        AttestationPolicy.model_validate(values)
    except ValidationError as error:
        yield from findings_of(error, AttestationPolicy, within=location, locate=draft.place).findings
    if policy.expectations is not None:
        is_measured = policy.launch is not None or policy.measurement is not None
        yield from _expectations(
            draft, (*location, "expectations"), policy.expectations, is_measured=is_measured
        )


def _manifest(draft: Draft, location: Location, policy: PolicyEntry) -> Iterator[Finding]:
    computation = draft.computations.get(policy.manifest or "")
    vm = draft.vms.get(computation.vm or "") if computation else None
    if vm is not None and vm.provider in _WITHOUT_TPM:
        yield draft.finding(
            (*location, "manifest"),
            f'"{policy.manifest}" runs on a VM of this machine, which has no TPM to show a manifest with',
            "Remove it, or run the computation on a VM with a TPM.",
        )


def _files(draft: Draft, location: Location, policy: PolicyEntry) -> Iterator[Finding]:
    files: dict[Location, str | None] = {("reference_values",): policy.reference_values}
    if policy.launch is not None:
        files |= {("launch", name): getattr(policy.launch, name) for name in LAUNCH_FILES}
    for field, as_written in files.items():
        if as_written is not None:
            try:
                draft.inputs.require(draft.path((*location, *field), as_written), as_written=as_written)
            except Refusal as refusal:
                yield draft.refused((*location, *field), refusal)
    if policy.signed_by is not None:
        yield from check_public_key(draft, (*location, "signed_by"), policy.signed_by)


def _expectations(
    draft: Draft, location: Location, values: Mapping[str, Any], *, is_measured: bool
) -> Iterator[Finding]:
    try:
        policy = PolicyDocument.from_values(values).policy()
    except InvalidInput as error:
        for finding in error.findings:
            yield draft.finding((*location, *_steps(finding.path)), finding.message, finding.fix)
        return
    for path in policy.unknown():
        yield draft.finding(
            (*location, *_steps(path)),
            "nothing of this name can be expected, so it would check nothing",
            "Correct the name, or remove it.",
            at_name=True,
        )
    if is_measured or not isinstance(policy, SnpPolicy):
        return
    if not policy.policy.measurement or not any(policy.policy.measurement):
        yield draft.finding(
            location,
            "no launch measurement is expected",
            "Add `policy: {measurement: ...}` with its 48 bytes as base64, or name a `vm:`.",
            at_name=True,
        )


def _steps(path: str) -> Location:
    """The way that a path such as `policy.chipId` or `keys[0]` goes."""
    return tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path))
