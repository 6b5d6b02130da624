"""What follows from a change, kind by kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prism_iac.model import Change
from prism_iac.plan import Effect, Impact, Need, Plan
from tests.unit.plan.scene import (
    ADA,
    ALGORITHM,
    ASSET,
    BUNDLE,
    COMPUTATION,
    GRACE,
    NOW,
    PARTS,
    POLICY,
    RAN,
    RUN,
    RUN_USES,
    UNKNOWN,
    VM,
    Scene,
    key,
    secret,
    stack,
    urn,
)

EVE = "eve@example.com"


def change_of(plan: Plan, name: str) -> Any:
    (found,) = [change for change in plan.changes if change.name == name]
    return found


def impacts(plan: Plan, name: str) -> dict[Impact, tuple[str, ...]]:
    """Who is met by each kind of consequence of a change."""
    return {item.impact: item.who for item in change_of(plan, name).consequences}


def test_nothing_that_stays_is_in_a_plan() -> None:
    plan = stack().plan()
    assert (plan.changes, plan.unchanged, plan.missing) == ((), 7, ())


def test_a_field_has_the_rule_of_its_model_down_to_the_innermost() -> None:
    agent = {**COMPUTATION["agent"], "log_level": "debug"}
    plan = stack(
        iris_regression={"op": "update", "new": {**COMPUTATION, "agent": agent, "description": "b"}}
    ).plan()
    told = {item.path: (item.old, item.new, item.rule) for item in change_of(plan, "iris-regression").fields}
    assert told == {
        "agent.log_level": ("info", "debug", Change.FROZEN),
        "description": ("a line", "b", Change.IN_PLACE),
    }


def test_another_algorithm_is_uploaded_anew_and_agreed_to_by_everyone() -> None:
    plan = stack(lin_reg={"op": "update", "new": {**ALGORITHM, "checksum": "ee" * 32}}).plan()
    assert impacts(plan, "lin-reg") == {Impact.APPROVAL: (GRACE, ADA), Impact.UPLOAD: (GRACE,)}


SOURCE = {"url": "https://data.example.com/lin_reg.py", "runtime": "python"}


def test_a_source_is_frozen_is_agreed_to_and_saves_an_upload() -> None:
    plan = stack(lin_reg={"op": "update", "new": {**ALGORITHM, "source": SOURCE}}).plan()
    assert impacts(plan, "lin-reg") == {Impact.APPROVAL: (GRACE, ADA), Impact.FETCH: ()}
    assert {item.path: item.rule for item in change_of(plan, "lin-reg").fields} == {
        "source.url": Change.FROZEN,
        "source.runtime": Change.FROZEN,
    }


def test_without_its_source_an_asset_is_uploaded_again() -> None:
    fetched = {**ALGORITHM, "source": SOURCE}
    plan = Scene().add("update", "Asset", "lin-reg", old=fetched, new=ALGORITHM).plan()
    assert impacts(plan, "lin-reg") == {Impact.UPLOAD: (GRACE,)}


def test_a_run_waits_for_those_alone_whose_files_no_agent_fetches() -> None:
    started = {"op": "replace", "new": {**RUN, "triggers": {"t": "1"}}, "replaces": ["triggers"]}
    algorithm = {"op": "same", "new": {**ALGORITHM, "source": SOURCE}}
    told = impacts(stack(lin_reg=algorithm, run=started).plan(), "run")
    assert told[Impact.UPLOAD] == (ADA,)
    dataset = {"op": "same", "new": {**ASSET, "source": {"url": "https://data.example.com/iris.csv"}}}
    told = impacts(stack(iris=dataset, lin_reg=algorithm, run=started).plan(), "run")
    assert Impact.UPLOAD not in told


def test_words_about_an_asset_ask_nothing_of_anybody() -> None:
    plan = stack(lin_reg={"op": "update", "new": {**ALGORITHM, "description": "a line, drawn"}}).plan()
    assert impacts(plan, "lin-reg") == {}


def test_what_is_frozen_is_refused_under_a_run_and_certificates_wait() -> None:
    running = {"status": "running"}
    agent = {**COMPUTATION["agent"], "log_level": "debug"}
    plan = stack(
        iris_regression={"op": "update", "new": {**COMPUTATION, "agent": agent}, "outputs": running}
    ).plan()
    assert Impact.REFUSED in impacts(plan, "iris-regression")

    old = {**COMPUTATION, "agent": {"tls": "tls", "cert_file": "A", "server_key": secret("a")}}
    new = {**COMPUTATION, "agent": {"tls": "tls", "cert_file": "B", "server_key": secret("b")}}
    plan = Scene().add("update", "Computation", "iris-regression", old=old, new=new, outputs=running).plan()
    assert impacts(plan, "iris-regression") == {Impact.TIME: ()}


def test_who_gains_and_who_loses_the_result_is_told() -> None:
    plan = stack(iris_regression={"op": "update", "new": {**COMPUTATION, "result_consumers": [EVE]}}).plan()
    told = [
        (item.who, item.text)
        for item in change_of(plan, "iris-regression").consequences
        if item.impact is Impact.ACCESS
    ]
    assert told == [
        ((EVE,), "May fetch the result from then on."),
        ((ADA,), "May not fetch the result any more."),
    ]


def test_a_result_is_lost_with_its_vm_and_with_the_next_run() -> None:
    plan = stack(
        trainer={"op": "replace", "new": {**VM, "vcpus": 4}, "replaces": ["vcpus"]},
        run={"op": "replace", "new": {**RUN, "vm": UNKNOWN}, "replaces": ["vm"]},
    ).plan()
    assert impacts(plan, "trainer") == {
        Impact.LOST: (ADA,),
        Impact.REPLACED: (GRACE, ADA),
        Impact.TIME: (),
        Impact.COST: (),
    }
    assert impacts(plan, "run") == {
        Impact.LOST: (ADA,),
        Impact.UPLOAD: (GRACE, ADA),
        Impact.FETCH: (ADA,),
        Impact.TIME: (),
    }


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("name", ["run", "iris_regression"])
def test_a_run_that_is_going_on_is_stopped_only_where_state_says_so(name: str, *, stops: bool) -> None:
    kinds = {"run": ("ComputationRun", RUN), "iris_regression": ("Computation", COMPUTATION)}
    kind, inputs = kinds[name]
    old = {**inputs, "stop_on_delete": stops}
    plan = Scene().add("delete", kind, name, old=old, outputs={"status": "running"}).plan()
    assert (Impact.REFUSED in impacts(plan, name)) is not stops
    assert any("is stopped" in item.text for item in change_of(plan, name).consequences) is stops


def test_a_window_alone_issues_nothing_and_a_name_does() -> None:
    for new, issues in (({**BUNDLE, "renew_before": "20d"}, False), ({**BUNDLE, "dns_names": ["b"]}, True)):
        plan = Scene().add("update", "CertificateBundle", "agent-tls", old=BUNDLE, new=new).plan()
        assert bool(impacts(plan, "agent-tls")) is issues


def test_a_renewal_says_why_and_how_many_days_are_left() -> None:
    dates = {
        "not_before": (NOW - timedelta(days=345)).isoformat(),
        "not_after": (NOW + timedelta(days=20)).isoformat(),
    }
    scene = Scene().add("update", "CertificateBundle", "agent-tls", old=BUNDLE, new=BUNDLE, outputs=dates)
    change = change_of(scene.plan(), "agent-tls")
    assert (change.renews, change.days_left) == (True, 20)
    assert change.reasons == ("renews: 20 days left, until 2026-12-16",)
    assert change.has(Impact.REPLACED)
    # On another day it is another plan.
    assert change_of(scene.plan(now=NOW + timedelta(days=19)), "agent-tls").days_left == 1


def test_what_an_update_left_undone_is_the_reason() -> None:
    scene = Scene()
    wanted = {**COMPUTATION, "description": "b"}
    scene.add("update", "Computation", "c", old=wanted, new=wanted, outputs={"description": "a"})
    assert change_of(scene.plan(), "c").reasons == ("the last update left undone: description",)


def test_grants_and_keys_say_whom_they_meet() -> None:
    grant = {
        "identity": "7.0",
        "workspace": "research",
        "computation": "c",
        "user": EVE,
        "actions": ["view", "run"],
    }
    scene = Scene()
    scene.add("update", "Participant", "p", old=grant, new={**grant, "actions": ["edit", "view"]})
    scene.add("update", "PublicKey", "k", old=key(ADA), new={**key(ADA), "key": "another"})
    plan = scene.plan()
    assert [item.text for item in change_of(plan, "p").consequences] == [
        "May from then on: edit.",
        "May not any more: run.",
    ]
    assert impacts(plan, "k") == {Impact.ACCESS: (ADA,)}


def test_trust_comes_with_the_approval_that_counts_on_the_day() -> None:
    approval = {"change": "minimum_tcb", "by": "grace", "reason": "old", "until": "2026-12-01"}
    new = {**POLICY, "minimum_tcb": {"snp": 7}, "approvals": [approval]}
    scene = Scene().add("update", "AttestationPolicy", "snp", old=POLICY, new=new)
    (shift,) = scene.plan().trust
    assert (shift.field, shift.trust.value, shift.approval) == (
        "minimum_tcb",
        "looser",
        "grace until 2026-12-01: old",
    )
    (late,) = scene.plan(now=NOW + timedelta(days=9)).trust
    assert late.approval == ""


def test_a_policy_that_goes_is_looser() -> None:
    (shift,) = Scene().add("delete", "AttestationPolicy", "snp", old=POLICY).plan().trust
    assert (shift.policy, shift.trust.value, shift.new) == ("snp", "looser", "nothing")


def test_a_secret_is_a_fingerprint_of_its_checkout() -> None:
    def shown(value: str, **more: Any) -> str | None:
        new = {**COMPUTATION, "agent": {"tls": "tls", "server_key": value}}
        plan = Scene().add("create", "Computation", "c", new=new).plan(**more)
        (item,) = [item for item in change_of(plan, "c").fields if item.path == "agent.server_key"]
        assert item.secret
        told: str | None = item.new
        return told

    # By the model's rule, whatever the engine says of it.
    assert shown("a") == shown("a") != shown("b")
    assert shown("a") != shown("a", salt=b"of another checkout")
    assert shown("a") != "a"


def test_a_resource_of_another_package_is_told_too() -> None:
    address = "urn:pulumi:dev::shop::random:index/randomId:RandomId::suffix"
    token = "random:index/randomId:RandomId"
    scene = Scene()
    scene.steps.append(
        {
            "op": "replace",
            "urn": address,
            "replaceReasons": ["byteLength"],
            "oldState": {"type": token, "inputs": {"byteLength": 2}, "outputs": {"byteLength": 2}},
            "newState": {"type": token, "inputs": {"byteLength": 4}},
        }
    )
    change = change_of(scene.plan(), "suffix")
    assert (change.effect, change.kind) == (Effect.REPLACE, token)
    assert [(item.path, item.old, item.new, item.rule) for item in change.fields] == [
        ("byteLength", "2", "4", Change.REPLACE)
    ]


def test_a_dry_run_is_told_before_anything_is_made() -> None:
    scene = Scene()
    scene.add("create", "Asset", "lin-reg", new={**ALGORITHM, "checksum": None})
    lacking = {
        **COMPUTATION,
        "algorithm": UNKNOWN,
        "result_consumers": [],
        "agent": {"tls": "tls", "cert_file": "A"},
    }
    scene.add("create", "Computation", "c", new=lacking, uses={"algorithm": PARTS["algorithm"]})
    scene.add("create", "Computation", "empty", new={**COMPUTATION, "algorithm": None, "datasets": []})
    told = {(item.computation, item.need, item.who) for item in scene.plan().missing}
    assert told == {
        ("c", Need.ROLE, ""),
        ("c", Need.HASH, GRACE),
        ("c", Need.KEY, GRACE),
        ("c", Need.FILE, ""),
        ("empty", Need.ROLE, ""),
        ("empty", Need.KEY, ADA),
    }


def test_a_key_of_another_computation_does_not_count() -> None:
    scene = stack()
    scene.steps = [step for step in scene.steps if not step["urn"].endswith("::grace")]
    scene.add(
        "create", "PublicKey", "grace", new=key(GRACE), uses={"computation": [urn("Computation", "other")]}
    )
    assert [(item.need, item.who) for item in scene.plan().missing] == [(Need.KEY, GRACE)]


def test_uses_of_a_run_are_the_ones_of_its_stack() -> None:
    plan = stack(run={"op": "delete", "new": None, "outputs": RAN, "uses": RUN_USES}).plan()
    # A run that has ended stays in the history.
    assert impacts(plan, "run") == {}
