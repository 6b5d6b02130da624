"""Holds a single resource, as the engine knows it, against the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from prism_iac.model import AssetKind, SourceLocation
from prism_iac.model.resources import CertificateSettings
from prism_iac.model.stack import (
    AgentEntry,
    AssetEntry,
    ComputationEntry,
    PolicyEntry,
    RuleEntry,
    StackFile,
    VmEntry,
)
from prism_iac.rules._judge import Judgement, judge

__all__ = ["judge_resource"]

_AGENT: Final = ("tls", "log_level")
_BUNDLE: Final = ("mode", "key", "validity", "renew_before", "keys_on_renewal")
_POLICY: Final = ("expectations", "measurement", "minimum_tcb", "warn")
_VM: Final = ("provider", "platform", "vcpus", "agent_log_level", "qemu")


def judge_resource(
    kind: str,
    name: str,
    properties: Mapping[str, Any],
    *,
    environment: str,
    entries: Mapping[str, RuleEntry],
    today: date,
) -> tuple[Judgement, ...]:
    """What of a resource breaks the rules of its environment; rules that look at its neighbours are silent.

    Args:
        kind: The kind, such as `Computation`.
        name: The logical name.
        properties: The inputs.
        environment: The environment's name.
        entries: The `rules:` of its stack file.
        today: The day, UTC, that waivers are held against.
    """
    tables = _tables(kind, name, properties)
    file = StackFile(environment=environment, workspace="any", rules=dict(entries))
    found = judge(file.model_copy(update=tables), today=today)
    return tuple(item for item in found if item.location[0] in tables)


def _tables(kind: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "CertificateBundle":
            return {"certificates": {name: CertificateSettings.model_validate(_given(properties, _BUNDLE))}}
        case "ConfidentialVM":
            return {"vms": {name: VmEntry.model_validate(_given(properties, _VM))}}
        case "Asset" if source := properties.get("source"):
            # What a resource has is pinned: its checksum is completed before anything sees it.
            entry = AssetEntry(kind=AssetKind.DATASET, provider="any", checksum="0" * 64)
            return {"assets": {name: entry.model_copy(update={"source": _location(source)})}}
        # Of a policy that comes from a VM nothing is known yet.
        case "AttestationPolicy" if _given(properties, ("expectations", "measurement")):
            return {"attestation_policies": {name: PolicyEntry.model_validate(_given(properties, _POLICY))}}
        case "Computation":
            agent = AgentEntry.model_validate(_given(properties.get("agent") or {}, _AGENT))
            nobody = ComputationEntry(description="any", algorithm="any", result_consumers=("any",))
            return {"computations": {name: nobody.model_copy(update={"agent": agent})}}
        case _:
            return {}


def _location(source: Mapping[str, Any]) -> SourceLocation:
    """As far as rules look at it; faces spell the other fields in their own way."""
    return SourceLocation.model_construct(
        url=str(source.get("url", "")), encrypted=bool(source.get("encrypted"))
    )


def _given(properties: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := properties.get(name)) is not None}
