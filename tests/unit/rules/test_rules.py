"""Every rule finds what breaks it and nothing else, and is enforced as the stack file says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pytest

from prism_iac.model.stack import RuleLevel, StackFile
from prism_iac.rules import RULES, Judgement, judge

TODAY: Final = date(2026, 11, 26)

GOOD: Final[dict[str, Any]] = {
    "environment": "prod",
    "workspace": "research",
    "participants": {
        "ada": {"user": "ada@example.com", "public_key": "ada.pub.pem"},
        "grace": {"user": "grace@example.com", "public_key": "grace.pub.pem"},
    },
    "assets": {
        "iris": {"kind": "dataset", "provider": "ada", "checksum": "1" * 64},
        "lin-reg": {"kind": "algorithm", "provider": "grace", "checksum": "2" * 64},
        "wine": {
            "kind": "dataset",
            "provider": "ada",
            "checksum": "4" * 64,
            "source": {"url": "https://data.example.com/wine.csv"},
        },
    },
    "certificates": {
        "tls": {"mode": "matls", "key": {"algorithm": "rsa", "size": 3072}, "renew_before": "30d"},
    },
    "attestation_policies": {
        "snp": {
            "expectations": {"rootOfTrust": {"productLine": "Milan"}, "policy": {"policy": "196608"}},
            "measurement": "3" * 96,
            "minimum_tcb": {"snp": 8},
        }
    },
    "vms": {"trainer": {"provider": "gcp", "vcpus": 2}},
    "computations": {
        "regression": {
            "description": "a line",
            "algorithm": "lin-reg",
            "datasets": ["iris"],
            "result_consumers": ["ada"],
            "agent": {"certificates": "tls", "log_level": "info", "attestation_policy": "snp"},
            "vm": "trainer",
        }
    },
}
"""What breaks no rule, at the very edge of each."""

AGENT: Final = ("computations", "regression", "agent")
POLICY: Final = ("attestation_policies", "snp")
LEFT_OUT: Final = object()


@dataclass(frozen=True)
class Case:
    """A change that breaks one rule, and the field that is told."""

    rule: str
    at: tuple[str, ...]
    value: object
    told: tuple[str, ...] | None = None


CASES: Final = (
    Case("encrypted-agents", (*AGENT, "tls"), "none"),
    Case("encrypted-agents", AGENT, {"attestation_policy": "snp"}, (*AGENT, "tls")),
    Case("attested-agents", (*AGENT, "tls"), "mtls"),
    Case("attested-agents", ("certificates", "tls", "mode"), "mtls", (*AGENT, "tls")),
    Case("known-clients", (*AGENT, "tls"), "atls"),
    Case("quiet-logs", (*AGENT, "log_level"), "debug"),
    Case("quiet-logs", ("vms", "trainer", "agent_log_level"), "debug"),
    Case("strong-keys", ("certificates", "tls", "key", "size"), 2048),
    Case("renewal-window", ("certificates", "tls", "renew_before"), "29d"),
    Case("short-lives", ("certificates", "tls", "validity"), "399d"),
    Case("fresh-keys", ("certificates", "tls", "keys_on_renewal"), "reuse"),
    Case("measured-vms", (*AGENT, "attestation_policy"), LEFT_OUT),
    Case(
        "hardware-evidence",
        ("vms", "trainer"),
        {"provider": "local", "attestation_policy": "snp"},
        ("vms", "trainer", "provider"),
    ),
    Case(
        "hardware-evidence",
        ("vms", "trainer"),
        {
            "provider": "qemu",
            "attestation_policy": "snp",
            "qemu": {"protection": "none", "evidence": "simulated"},
        },
        ("vms", "trainer", "qemu", "protection"),
    ),
    Case(
        "hardware-evidence",
        (*POLICY, "expectations", "rootOfTrust", "productLine"),
        "SIMULATED",
        (*POLICY, "expectations"),
    ),
    Case(
        "no-debug-guests",
        (*POLICY, "expectations", "policy", "policy"),
        str(196608 | 1 << 19),
        (*POLICY, "expectations"),
    ),
    Case("least-tcb", (*POLICY, "minimum_tcb"), LEFT_OUT),
    Case("enforced-policies", (*POLICY, "warn"), {"minimum_tcb": "2027-01-31"}),
    Case("pinned-assets", ("assets", "iris", "checksum"), LEFT_OUT),
    Case("pinned-sources", ("assets", "wine", "checksum"), LEFT_OUT),
    Case("encrypted-sources", ("assets", "wine", "source", "url"), "http://data.example.com/wine.csv"),
    Case("pinned-keys", ("participants", "ada", "public_key"), LEFT_OUT),
    Case("separate-consumers", ("computations", "regression", "result_consumers"), ["grace"]),
)


def changed(at: tuple[str, ...], value: object, document: dict[str, Any] = GOOD) -> dict[str, Any]:
    name, *rest = at
    if rest:
        return document | {name: changed(tuple(rest), value, document[name])}
    if value is LEFT_OUT:
        return {key: kept for key, kept in document.items() if key != name}
    return document | {name: value}


def judged(document: dict[str, Any], today: date = TODAY) -> tuple[Judgement, ...]:
    return judge(StackFile.model_validate(document), today=today)


def test_nothing_breaks_a_rule_at_its_edge() -> None:
    assert judged(GOOD) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.at[-1]}")
def test_a_rule_finds_what_breaks_it_and_no_other_does(case: Case) -> None:
    (found,) = judged(changed(case.at, case.value))
    assert (found.rule, found.location) == (case.rule, case.told or case.at)
    assert found.resource == ".".join((case.told or case.at)[:2])
    assert found.message
    assert found.fix.endswith(".")


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.at[-1]}")
def test_outside_of_prod_a_rule_is_silent_until_the_stack_asks_for_it(case: Case) -> None:
    broken = changed(case.at, case.value) | {"environment": "dev"}
    assert judged(broken) == ()
    (found,) = judged(broken | {"rules": {case.rule: {"level": "mandatory"}}})
    assert found.is_refused


def test_a_stack_sets_the_level_of_a_rule() -> None:
    broken = changed((*AGENT, "log_level"), "debug")
    levels = {
        level: judged(broken | {"rules": {"quiet-logs": {"level": level}}})
        for level in ("mandatory", "advisory", "disabled")
    }
    assert [item.is_refused for item in levels["mandatory"]] == [True]
    assert [item.is_refused for item in levels["advisory"]] == [False]
    assert levels["disabled"] == ()


def test_a_stack_sets_the_numbers_of_a_rule() -> None:
    def rules(**parameters: int) -> tuple[Judgement, ...]:
        return judged(GOOD | {"rules": {"renewal-window": {"parameters": parameters}}})

    assert rules(days=30) == ()
    (found,) = rules(days=31)
    assert "31d" in found.fix
    (unknown,) = rules(hours=1)
    assert unknown.location == ("rules", "renewal-window", "parameters", "hours")
    assert unknown.is_refused


def test_a_lock_pins_every_asset() -> None:
    for name in ("iris", "wine"):
        assert judged(changed(("assets", name, "checksum"), LEFT_OUT) | {"locked": True}) == ()


def test_what_is_encrypted_may_be_fetched_in_clear() -> None:
    key = {"encrypted": True, "kbs_url": "https://kbs.example.com", "kbs_resource_path": "default/key/wine"}
    source = {"url": "http://data.example.com/wine.sealed", **key}
    assert judged(changed(("assets", "wine", "source"), source)) == ()


def test_a_rule_that_is_not_there_is_told_with_the_nearest() -> None:
    (found,) = judged(GOOD | {"rules": {"quiet-log": {"level": "disabled"}}})
    assert (found.location, found.level) == (("rules", "quiet-log"), RuleLevel.MANDATORY)
    assert "quiet-logs" in found.fix


def waived(resource: str, until: str) -> dict[str, Any]:
    waiver = {"resource": resource, "reason": "a fault", "by": "grace", "until": until}
    return changed((*AGENT, "log_level"), "debug") | {"rules": {"quiet-logs": {"waivers": [waiver]}}}


def test_a_waiver_holds_until_the_end_of_its_last_day() -> None:
    document = waived("computations.regression", "2026-11-26")
    (found,) = judged(document)
    assert found.waiver is not None
    assert (found.waiver.by, found.is_refused) == ("grace", False)
    breach, expired = judged(document, date(2026, 11, 27))
    assert (breach.is_refused, breach.waiver) == (True, None)
    assert expired.location == ("rules", "quiet-logs", "waivers", 0, "until")
    assert expired.is_refused


def test_a_waiver_that_matches_nothing_is_told_and_covers_nothing() -> None:
    breach, unused = judged(waived("vms.trainer", "2026-12-31"))
    assert (breach.is_refused, breach.resource) == (True, "computations.regression")
    assert unused.location == ("rules", "quiet-logs", "waivers", 0, "resource")
    assert unused.is_refused


def test_a_vm_that_shows_evidence_here_is_held_to_a_policy_of_its_own() -> None:
    local = changed(("vms", "trainer"), {"provider": "local"})
    unmeasured, _ = judged(local)
    assert (unmeasured.rule, unmeasured.location) == (
        "measured-vms",
        ("vms", "trainer", "attestation_policy"),
    )


def test_a_policy_that_a_vm_gives_of_itself_measures_nothing() -> None:
    own = changed(("attestation_policies", "own"), {"vm": "trainer"})
    (found,) = judged(changed((*AGENT, "attestation_policy"), "own", own))
    assert (found.rule, found.location) == ("measured-vms", (*AGENT, "attestation_policy"))


def test_who_brings_everything_may_read_the_result_alone() -> None:
    alone = changed(("computations", "regression", "result_consumers"), ["grace"])
    assert judged(changed(("assets", "iris", "provider"), "grace", alone)) == ()


@pytest.mark.parametrize(
    ("attributes", "broken"), [("AAAAAAAAAAA=", []), ("AQAAAAAAAAA=", ["no-debug-guests"])]
)
def test_a_policy_for_tdx_accepts_no_debugged_domain(attributes: str, broken: list[str]) -> None:
    expectations = {"policy": {"tdQuoteBodyPolicy": {"tdAttributes": attributes}}}
    document = changed((*POLICY, "expectations"), expectations)
    assert [item.rule for item in judged(document)] == broken
