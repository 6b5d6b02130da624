from __future__ import annotations

from datetime import date

import pytest

from prism_iac.plan import Plan, RuleFinding

FINDING = RuleFinding(rule="no-plain-tls", resource="sum", message="plain")


@pytest.mark.parametrize(
    ("finding", "is_refused"),
    [
        (FINDING, False),
        (FINDING.model_copy(update={"is_mandatory": True}), True),
        (FINDING.model_copy(update={"is_mandatory": True, "waived": True, "waiver": "by ada"}), False),
    ],
    ids=["advisory", "mandatory", "waived"],
)
def test_a_mandatory_rule_forbids_an_update_unless_it_is_waived(
    finding: RuleFinding, *, is_refused: bool
) -> None:
    plan = Plan(stack="prod", as_of=date(2026, 11, 26), rules=(finding,))
    assert plan.is_refused is is_refused


def test_a_plan_with_errors_is_refused() -> None:
    assert Plan(stack="prod", as_of=date(2026, 11, 26), errors=("no such stack",)).is_refused
    assert not Plan(stack="prod", as_of=date(2026, 11, 26)).is_refused
