"""The embedded backend's control stream serves the real agent."""

from __future__ import annotations

from collections.abc import Callable

from prism_iac.backend import start, stop
from tests.contract.backend.live import eventually
from tests.contract.backend.test_real_agent import ALGORITHM, FAILING, Scene
from tests.interop.network import needs_machines
from tests.interop.programs import Programs
from tests.interop.vm import CocosVm

pytestmark = needs_machines


def events_of(prism: Scene, computation: str) -> list[tuple[str, str]]:
    path = f"{prism.lab.computations}/{computation}/events"
    events = prism.root.ok("GET", path, params={"limit": 100})["events"][::-1]
    return [(event["event_type"], event["status"]) for event in events]


def test_a_run_from_the_manifest_to_the_result(prism: Scene, cocos_vm: CocosVm) -> None:
    record = prism.root.ok("GET", f"{prism.lab.cvms}/{cocos_vm.cvm}")
    assert (record["status"], record["agent_url"]) == ("online", cocos_vm.address)
    computation = prism.computation(ALGORITHM)
    prism.lab.run(computation, cocos_vm.cvm)
    prism.wait_for_state(cocos_vm, "ReceivingAlgorithm")
    prism.upload(cocos_vm)
    run = prism.wait_for_run(computation, "completed")
    assert run["agent_url"] == cocos_vm.address
    assert prism.result(cocos_vm) == b"a,b\n"
    prism.wait_for_state(cocos_vm, "Complete")
    eventually(lambda: ("Complete", "Completed") in events_of(prism, computation))
    assert events_of(prism, computation) == [
        ("ReceivingAlgorithm", "InProgress"),
        ("ReceivingData", "InProgress"),
        ("Running", "Starting"),
        ("Running", "InProgress"),
        ("Running", "Completed"),
        ("ConsumingResults", "Ready"),
        ("Complete", "Completed"),
    ]
    path = f"{prism.lab.computations}/{computation}/logs"

    def logs() -> list[tuple[str, str]]:
        found = prism.root.ok("GET", path, params={"limit": 100})["logs"]
        return [(log["level"], log["message"]) for log in found]

    eventually(lambda: ("debug", "working\n") in logs())
    assert any("Method Algo took" in message for _, message in logs())


def test_a_run_that_fails_says_why(prism: Scene, cocos_vm: CocosVm) -> None:
    computation = prism.computation(FAILING)
    prism.lab.run(computation, cocos_vm.cvm)
    prism.wait_for_state(cocos_vm, "ReceivingAlgorithm")
    prism.upload(cocos_vm, FAILING)
    prism.wait_for_run(computation, "failed")
    path = f"{prism.lab.computations}/{computation}/logs"

    def messages() -> list[str]:
        logs = prism.root.ok("GET", path, params={"limit": 100})["logs"]
        return [log["message"] for log in logs]

    eventually(lambda: any("exit status 3" in message for message in messages()))
    eventually(lambda: ("AlgorithmRun", "Warning") in events_of(prism, computation))


def test_a_restart_of_the_backend_in_mid_run_loses_nothing(prism: Scene, cocos_vm: CocosVm) -> None:
    computation = prism.computation(ALGORITHM)
    run = prism.lab.run(computation, cocos_vm.cvm)
    prism.wait_for_state(cocos_vm, "ReceivingAlgorithm")
    stop(prism.data)
    prism.upload(cocos_vm)  # the run goes on, and ends, while nobody listens
    start(prism.data)
    ended = prism.wait_for_run(computation, "completed")
    assert (ended["id"], ended["number"]) == (run, 1)
    assert prism.result(cocos_vm) == b"a,b\n"


def test_a_stop_ends_the_run_at_the_agent(prism: Scene, cocos_vm: CocosVm) -> None:
    computation = prism.computation(ALGORITHM)
    prism.lab.run(computation, cocos_vm.cvm)
    prism.wait_for_state(cocos_vm, "ReceivingAlgorithm")
    prism.root.ok("GET", f"{prism.lab.computations}/{computation}/stop")
    assert prism.run_of(computation)["status"] == "cancelled"
    prism.wait_for_state(cocos_vm, "ReceivingManifest")


def test_an_agent_that_lost_its_computation_fails_the_run(prism: Scene, cocos_vm: CocosVm) -> None:
    computation = prism.computation(ALGORITHM)
    prism.lab.run(computation, cocos_vm.cvm)
    prism.wait_for_state(cocos_vm, "ReceivingAlgorithm")
    cocos_vm.restart_agent()
    prism.wait_for_run(computation, "failed")
    prism.wait_for_state(cocos_vm, "ReceivingManifest")


def test_several_agents_run_at_once(prism: Scene, make_cocos_vm: Callable[..., CocosVm]) -> None:
    vms = [make_cocos_vm() for _ in range(2)]
    for vm in vms:
        prism.wait_for_state(vm, "ReceivingManifest")
    computations = [prism.computation(algorithm) for algorithm in (ALGORITHM, ALGORITHM + b"#\n")]
    for computation, vm in zip(computations, vms, strict=True):
        prism.lab.run(computation, vm.cvm)
    for vm, algorithm in zip(vms, (ALGORITHM, ALGORITHM + b"#\n"), strict=True):
        prism.wait_for_state(vm, "ReceivingAlgorithm")
        prism.upload(vm, algorithm)
    for computation, vm in zip(computations, vms, strict=True):
        assert prism.wait_for_run(computation, "completed")["agent_url"] == vm.address
        assert prism.result(vm) == b"a,b\n"


def test_a_removed_vm_is_let_in_no_more(prism: Scene, cocos_vm: CocosVm) -> None:
    assert prism.root.delete(f"{prism.lab.cvms}/{cocos_vm.cvm}").status_code == 204
    refusal = f'"reason": "cvm is inactive: {cocos_vm.cvm}", "event": "stream refused"'
    eventually(lambda: refusal in (prism.data / "backend.log").read_text())


def test_an_agent_in_clear_goes_by_its_word(
    prism: Scene, make_cocos_vm: Callable[..., CocosVm], programs: Programs
) -> None:
    vm = make_cocos_vm(is_certified=False)
    if not programs.tells_its_vm:
        eventually(lambda: "says its cvm in the metadata job-id" in (prism.data / "backend.log").read_text())
        return
    prism.wait_for_state(vm, "ReceivingManifest")
    computation = prism.computation(ALGORITHM)
    prism.lab.run(computation, vm.cvm)
    prism.wait_for_state(vm, "ReceivingAlgorithm")
    prism.upload(vm)
    prism.wait_for_run(computation, "completed")
    assert prism.result(vm) == b"a,b\n"
