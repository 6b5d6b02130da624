"""A resource, as the engine knows it, is judged as its entry in a stack file is."""

from __future__ import annotations

from typing import Any

import pytest

from prism_iac.model.stack import RuleEntry
from prism_iac.rules import Judgement, judge_resource
from tests.unit.rules.test_rules import CASES, GOOD, TODAY, Case, changed, judged

KINDS = {
    "certificates": "CertificateBundle",
    "vms": "ConfidentialVM",
    "attestation_policies": "AttestationPolicy",
    "computations": "Computation",
    "assets": "Asset",
}
NEEDS_NEIGHBOURS = {"measured-vms", "pinned-assets", "pinned-sources", "pinned-keys", "separate-consumers"}


def as_resources(document: dict[str, Any], **entries: RuleEntry) -> list[Judgement]:
    found: list[Judgement] = []
    for table, kind in KINDS.items():
        for name, entry in document[table].items():
            properties = {**entry}
            if kind == "Computation":
                mode = properties["agent"].get("tls") or (
                    document["certificates"]["tls"]["mode"] if "certificates" in properties["agent"] else None
                )
                properties["agent"] = {"tls": mode, "log_level": properties["agent"].get("log_level")}
            found += judge_resource(
                kind, name, properties, environment=document["environment"], entries=entries, today=TODAY
            )
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.at[-1]}")
def test_a_resource_breaks_the_rules_that_its_entry_breaks(case: Case) -> None:
    document = changed(case.at, case.value)
    expected = [] if case.rule in NEEDS_NEIGHBOURS else list(judged(document))
    assert as_resources(document) == expected


def test_levels_and_waivers_of_the_stack_hold_for_resources() -> None:
    document = changed(("vms", "trainer", "agent_log_level"), "debug", GOOD)
    assert as_resources(document, **{"quiet-logs": RuleEntry.model_validate({"level": "disabled"})}) == []
    waiver = {"resource": "vms.trainer", "reason": "a fault", "by": "grace", "until": "2026-12-31"}
    (found,) = as_resources(document, **{"quiet-logs": RuleEntry.model_validate({"waivers": [waiver]})})
    assert found.waiver is not None
