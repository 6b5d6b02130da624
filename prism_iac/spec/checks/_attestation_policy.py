"""Attestation policies: one source each, one file each, and never an empty expectation."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from prism_iac.errors import Finding
from prism_iac.model import Location, findings_of, shown
from prism_iac.model.resources import AttestationPolicy
from prism_iac.model.stack import PolicyEntry
from prism_iac.spec._draft import Draft
from prism_iac.spec._policy_path import policy_path

__all__ = ["check_policies"]


def check_policies(draft: Draft) -> Iterator[Finding]:
    """Policies without a source or with two, and files that two policies write."""
    written_by: dict[str, str] = {}
    for name, policy in draft.attestation_policies.items():
        location = ("attestation_policies", name)
        yield from _source(draft, location, name, policy)
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
    values = {"path": str(policy_path(name, policy)), "vm": policy.vm, "expectations": policy.expectations}
    try:
        AttestationPolicy.model_validate(values)
    except ValidationError as error:
        yield from findings_of(error, AttestationPolicy, within=location, locate=draft.place).findings
    if policy.expectations is not None and not policy.expectations:
        yield draft.finding(
            (*location, "expectations"),
            "expects nothing",
            "Declare at least the launch measurement, or name a `vm:`.",
        )
