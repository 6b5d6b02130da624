"""Decisions D13, D18 to D20, D24 and D54: runs."""

from __future__ import annotations

import base64

import pytest

from prism_iac.backend._runs import Signal, status_after, why_not_ready
from prism_iac.backend.store import runs
from prism_iac.backend.store.cvms import Cvm
from prism_iac.model import AgentState, ComputationStatus, VmStatus
from prism_iac.wire import cvms_pb2
from tests.unit.backend.support import START, Person, Prism, Workspace, envelope, public_pem

ENDS = {
    Signal.RESULTS_READY: "completed",
    Signal.AGENT_FAILED: "failed",
    Signal.MANIFEST_REFUSED: "failed",
    Signal.AGENT_RESTARTED: "failed",
    Signal.CVM_REMOVED: "failed",
    Signal.STOPPED: "cancelled",
}


@pytest.mark.fault(72)
@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("status", ComputationStatus)
def test_only_a_run_that_goes_on_is_moved_by_a_signal(status: ComputationStatus, signal: Signal) -> None:
    expected = status if status.is_final else ENDS[signal]
    assert status_after(status, signal) == expected


@pytest.mark.parametrize(
    ("status", "state", "is_busy", "reason"),
    [
        (VmStatus.ONLINE, AgentState.RECEIVING_MANIFEST, False, ""),
        (VmStatus.ONLINE, AgentState.COMPLETE, False, ""),
        (VmStatus.ONLINE, AgentState.FAILED, False, ""),
        (VmStatus.ONLINE, AgentState.CONSUMING_RESULTS, False, "nobody has fetched"),
        (VmStatus.ONLINE, AgentState.RUNNING, False, "state Running"),
        (VmStatus.ONLINE, "", False, "state unknown"),
        (VmStatus.ONLINE, AgentState.RECEIVING_MANIFEST, True, "at work"),
        (VmStatus.OFFLINE, AgentState.RECEIVING_MANIFEST, False, "offline"),
        (VmStatus.CREATING, "", False, "creating"),
        (VmStatus.INACTIVE, AgentState.RECEIVING_MANIFEST, False, "removed"),
    ],
)
def test_a_cvm_is_ready_when_its_agent_can_take_a_computation(
    status: VmStatus, state: str, *, is_busy: bool, reason: str
) -> None:
    deleted_at = START if status is VmStatus.INACTIVE else None
    found = why_not_ready(Cvm(status=status, state=state, deleted_at=deleted_at), is_busy=is_busy)
    assert reason in found
    assert bool(found) == bool(reason)


def test_d18_a_run_answers_with_its_id_and_wakes_the_agent(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    response = ada.post(f"{lab.computations}/{computation}/run", params={"cvm": cvm})
    assert response.status_code == 200
    run = ada.ok("GET", f"{lab.computations}/{computation}/run")
    assert response.json() == run["id"]
    assert (
        run.items()
        >= {
            "computation_id": computation,
            "cvm_id": cvm,
            "number": 1,
            "status": "running",
            "agent_url": "vm.test:7002",
            "end_time": "0001-01-01T00:00:00Z",
        }.items()
    )
    record = ada.ok("GET", f"{lab.computations}/{computation}")
    assert (record["status"], record["start_time"]) == ("running", run["start_time"])
    assert prism.agents.woken == [cvm]


def test_d18_the_agent_gets_what_the_definition_says(prism: Prism, lab: Workspace) -> None:
    cvm = lab.ready_cvm(prism)
    computation = lab.runnable()
    run_id = lab.run(computation, cvm)
    with prism.database.reading() as session:
        run = runs.find(session, run_id)
        assert run is not None
        request = cvms_pb2.ComputationRunReq.FromString(runs.request_of(session, run) or b"")
    manifest = lab.owner.ok("GET", f"{lab.computations}/{computation}/manifest")
    assert (request.id, request.name) == (computation, "train")
    assert list(request.algorithm.hash) == manifest["algorithm"]["hash"]
    assert base64.b64encode(request.algorithm.userKey).decode() == manifest["algorithm"]["user_key"]
    assert [dataset.filename for dataset in request.datasets] == ["dataset"]
    assert len(request.result_consumers) == 1
    assert (request.agent_config.port, request.agent_config.log_level) == ("7002", "info")


def test_the_message_with_the_agents_key_is_dropped_when_the_run_ends(prism: Prism, lab: Workspace) -> None:
    run_id = lab.run(lab.runnable(), lab.ready_cvm(prism))
    prism.end_run(run_id, Signal.RESULTS_READY)
    with prism.database.reading() as session:
        run = runs.find(session, run_id)
        assert run is not None
        assert runs.request_of(session, run) is None


def test_d18_a_run_on_no_cvm_or_an_unknown_one_is_refused(prism: Prism, ada: Person, lab: Workspace) -> None:
    path = f"{lab.computations}/{lab.runnable()}/run"
    foreign = prism.workspace(ada, "other").ready_cvm(prism)
    assert ada.post(path).status_code == 400
    assert ada.post(path, params={"cvm": ""}).status_code == 400
    assert ada.post(path, params={"cvm": "none"}).status_code == 404
    assert ada.post(path, params={"cvm": foreign}).status_code == 404


@pytest.mark.parametrize("state", [AgentState.CONSUMING_RESULTS, AgentState.RUNNING])
def test_d18_a_cvm_that_is_not_ready_is_a_conflict(
    prism: Prism, ada: Person, lab: Workspace, state: AgentState
) -> None:
    path = f"{lab.computations}/{lab.runnable()}/run"
    cvm = lab.cvm()
    assert ada.post(path, params={"cvm": cvm}).status_code == 409
    prism.set_agent(cvm, state)
    assert ada.post(path, params={"cvm": cvm}).status_code == 409
    prism.set_agent(cvm)
    assert ada.post(path, params={"cvm": cvm}).status_code == 200


def test_d18_a_computation_that_lacks_something_is_refused_with_the_dry_run(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation, cvm = lab.computation(), lab.ready_cvm(prism)
    response = ada.post(f"{lab.computations}/{computation}/run", params={"cvm": cvm})
    dry = ada.ok("POST", f"{lab.computations}/{computation}/dryrun")
    assert response.status_code == 422
    assert response.json()["missing_items"] == dry["missing_items"]
    assert ada.get(f"{lab.computations}/{computation}/run").status_code == 404


@pytest.mark.parametrize("missing", ["key", "algorithm", "dataset", "result_consumer"])
def test_each_precondition_alone_stops_a_run(prism: Prism, ada: Person, lab: Workspace, missing: str) -> None:
    bob = lab.join(prism.person("bob"))
    computation, cvm = lab.computation(), lab.ready_cvm(prism)
    consumer = () if missing == "result_consumer" else ("result_consumer",)
    lab.role(computation, bob, "algo_provider", "dataset_provider", *consumer)
    for kind in {"algorithm", "dataset"} - {missing}:
        lab.link(bob, lab.asset(bob, kind), computation)
    if missing != "key":
        bob.ok("POST", f"{lab.computations}/{computation}/key", {"key": public_pem()})
    response = ada.post(f"{lab.computations}/{computation}/run", params={"cvm": cvm})
    assert response.status_code == 422
    found = response.json()["missing_items"]
    assert found["keys"] == ([bob.id] if missing == "key" else [])
    assert bool(found["info"]) == (missing != "key")


def test_d54_without_a_dataset_provider_no_dataset_is_needed(prism: Prism, lab: Workspace) -> None:
    bob = lab.join(prism.person("bob"))
    computation = lab.computation()
    lab.role(computation, bob, "algo_provider", "result_consumer")
    lab.link(bob, lab.asset(bob, "algorithm"), computation)
    bob.ok("POST", f"{lab.computations}/{computation}/key", {"key": public_pem()})
    assert lab.run(computation, lab.ready_cvm(prism))


def test_a_cvm_and_a_computation_are_at_work_once_at_a_time(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    first, second = lab.runnable("first"), lab.runnable("second")
    one, two = lab.ready_cvm(prism, "one"), lab.ready_cvm(prism, "two")
    run = lab.run(first, one)
    assert ada.post(f"{lab.computations}/{second}/run", params={"cvm": one}).status_code == 409
    assert ada.post(f"{lab.computations}/{first}/run", params={"cvm": two}).status_code == 409
    prism.end_run(run, Signal.RESULTS_READY)
    assert lab.run(first, two)
    assert ada.ok("GET", f"{lab.computations}/{first}/run")["number"] == 2


def test_d19_runs_are_listed_newest_first_and_narrowed(prism: Prism, ada: Person, lab: Workspace) -> None:
    first, second = lab.runnable("first"), lab.runnable("second")
    cvm = lab.ready_cvm(prism)
    ids = []
    for computation, signal in ((first, Signal.RESULTS_READY), (second, Signal.AGENT_FAILED), (first, None)):
        ids.append(lab.run(computation, cvm))
        if signal is not None:
            prism.end_run(ids[-1], signal)
    path = f"{lab.computations}/runs"

    def listed(**query: str) -> list[str]:
        return [run["id"] for run in ada.ok("GET", path, params=query)["runs"]]

    assert envelope(ada.ok("GET", path)) == (3, 10, 0)
    assert listed() == ids[::-1]
    assert listed(computation_id=first) == [ids[2], ids[0]]
    assert listed(status="failed") == [ids[1]]
    assert ada.ok("GET", f"{lab.computations}/{first}/run")["id"] == ids[2]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_d20_a_stop_cancels_the_run_and_tells_the_agent(
    prism: Prism, ada: Person, lab: Workspace, method: str
) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    path = f"{lab.computations}/{computation}"
    assert ada.call(method, f"{path}/stop").status_code == 409
    lab.run(computation, cvm)
    response = ada.call(method, f"{path}/stop")
    assert (response.status_code, response.content) == (200, b"")
    run = ada.ok("GET", f"{path}/run")
    record = ada.ok("GET", path)
    assert run["status"] == record["status"] == "cancelled"
    assert run["end_time"] == record["end_time"] != "0001-01-01T00:00:00Z"
    assert prism.agents.woken == [cvm, cvm]
    assert ada.call(method, f"{path}/stop").status_code == 409


def test_d24_statistics_count_runs_by_day_and_status(prism: Prism, ada: Person, lab: Workspace) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    for signal in (Signal.RESULTS_READY, Signal.AGENT_FAILED, Signal.RESULTS_READY):
        prism.end_run(lab.run(computation, cvm), signal)
    prism.clock.advance(days=1)
    # the token of a day ago has ended
    ada.token = prism.token_of(ada)
    lab.run(computation, cvm)
    path = f"{lab.computations}/statistics"
    today = {"day": "2026-01-13", "status": "running", "count": 1}
    before = [
        {"day": "2026-01-12", "status": "completed", "count": 2},
        {"day": "2026-01-12", "status": "failed", "count": 1},
    ]
    assert ada.ok("GET", path)["comp_stats"] == [*before, today]
    assert ada.ok("GET", path, params={"days": 1})["comp_stats"] == [today]
    for days in (0, 366, "x"):
        assert ada.get(path, params={"days": days}).status_code == 400
