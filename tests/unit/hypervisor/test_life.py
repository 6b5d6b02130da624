from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prism_iac.errors import Conflict
from prism_iac.hypervisor.local import LocalHypervisor
from tests.unit.hypervisor.conftest import SPEC, STAND_IN, eventually, processes_of, spec
from tests.unit.hypervisor.killed import end_of


def _children_of_this_process() -> list[str]:
    """The states of the children that the kernel still lists."""
    states = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                states.append(fields[0])
    return states


def test_a_second_create_of_the_same_id_gives_the_same_vm(hypervisor: LocalHypervisor, data: Path) -> None:
    first = hypervisor.create(SPEC)
    assert hypervisor.create(SPEC) == first
    assert LocalHypervisor(data, command=STAND_IN).create(SPEC) == first
    assert processes_of(data) == {first.pid}


def test_many_creates_at_once_give_each_vm_a_process_and_a_port(
    hypervisor: LocalHypervisor, data: Path
) -> None:
    with ThreadPoolExecutor(64) as pool:
        vms = list(pool.map(lambda number: hypervisor.create(spec(f"vm-{number}")), range(64)))
    assert len({vm.agent_address for vm in vms}) == len({vm.pid for vm in vms}) == 64
    assert processes_of(data) == {vm.pid for vm in vms}
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda vm: hypervisor.remove(vm.id), vms))
    assert processes_of(data) == set()
    assert hypervisor.list() == ()


def test_one_id_from_many_threads_and_processes_is_one_vm(hypervisor: LocalHypervisor, data: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        others = [pool.submit(end_of, data, "create") for _ in range(3)]
        vms = {future.result() for future in [pool.submit(hypervisor.create, SPEC) for _ in range(16)]}
        assert {future.result() for future in others} == {-signal.SIGKILL}
    assert len(vms) == 1
    assert processes_of(data) == {vm.pid for vm in vms}


def test_a_create_takes_less_than_150_milliseconds(hypervisor: LocalHypervisor) -> None:
    def seconds(vm_id: str) -> float:
        begin = time.perf_counter()
        hypervisor.create(spec(vm_id))
        return time.perf_counter() - begin

    assert min(seconds(f"vm-{number}") for number in range(5)) < 0.150


def test_a_vm_outlives_its_maker(hypervisor: LocalHypervisor, data: Path) -> None:
    assert end_of(data, "create") == -signal.SIGKILL
    vm = hypervisor.find(SPEC.id)
    assert vm is not None
    assert vm.running
    assert processes_of(data) == {vm.pid}


def test_a_vm_that_ended_is_shown_as_not_running_and_leaves_no_zombie(hypervisor: LocalHypervisor) -> None:
    vm = hypervisor.create(SPEC)
    os.kill(vm.pid, signal.SIGKILL)
    eventually(lambda: not hypervisor.list()[0].running)
    eventually(lambda: "Z" not in _children_of_this_process())


def test_a_vm_that_ended_is_started_again_on_its_port(hypervisor: LocalHypervisor, data: Path) -> None:
    first = hypervisor.create(SPEC)
    (first.folder / "work" / "kept").touch()
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not hypervisor.list()[0].running)
    second = hypervisor.create(SPEC)
    assert second.running
    assert second.agent_address == first.agent_address
    assert (second.folder / "work" / "kept").exists()
    assert processes_of(data) == {second.pid}


@pytest.mark.parametrize("fact", ["started", "boot"])
def test_a_process_that_got_the_number_of_a_dead_vm_is_not_taken_for_it(
    hypervisor: LocalHypervisor, fact: str
) -> None:
    vm = hypervisor.create(SPEC)
    hypervisor.remove(vm.id)
    bystander = hypervisor.create(spec("bystander"))
    facts = json.loads((bystander.folder / "vm.json").read_bytes())
    facts["process"][fact] = {"started": facts["process"]["started"] - 1, "boot": "an earlier one"}[fact]
    stale = bystander.folder.with_name("stale")
    stale.mkdir()
    (stale / "vm.json").write_text(json.dumps(facts))
    found = hypervisor.find("stale")
    assert found is not None
    assert not found.running
    hypervisor.remove("stale")
    assert not stale.exists()
    assert hypervisor.list() == (bystander,)
    assert bystander.running


def test_a_removed_vm_is_gone_with_its_folder_and_its_lock(hypervisor: LocalHypervisor, data: Path) -> None:
    vm = hypervisor.create(SPEC)
    hypervisor.remove(vm.id)
    assert hypervisor.find(vm.id) is None
    assert hypervisor.list() == ()
    assert not vm.folder.exists()
    assert list((data / "vms" / ".locks").iterdir()) == []
    assert processes_of(data) == set()


def test_a_removal_may_be_repeated_and_may_find_nothing(hypervisor: LocalHypervisor) -> None:
    hypervisor.remove(SPEC.id)
    hypervisor.create(SPEC)
    hypervisor.remove(SPEC.id)
    hypervisor.remove(SPEC.id)


@pytest.mark.parametrize(
    "program",
    [
        "sleep 1000 & sleep 1000",
        "trap '' TERM; sleep 1000 & while :; do sleep 1000; done",
        "setsid sh -c 'trap \"\" TERM; sleep 1000 & while :; do sleep 1000; done' & while :; do sleep 1000; done",
        "sleep 1000 & exec true",
    ],
    ids=["in its group", "deaf to SIGTERM", "in a session of its own", "orphaned"],
)
def test_a_removal_ends_the_children_of_a_vm_too(data: Path, program: str) -> None:
    hypervisor = LocalHypervisor(data, command=("/bin/sh", "-c", program), grace_seconds=0.2)
    hypervisor.create(SPEC)
    eventually(lambda: _sleepers(data) >= 1)
    hypervisor.remove(SPEC.id)
    assert processes_of(data) == set()


def _sleepers(data: Path) -> int:
    commands = (Path(f"/proc/{pid}/cmdline") for pid in processes_of(data))
    return sum(command.exists() and command.read_bytes().startswith(b"sleep") for command in commands)


def test_a_vm_may_end_by_itself_within_the_grace(data: Path) -> None:
    program = 'trap "echo asked > asked; exit" TERM; echo ready; while :; do sleep 0.01; done'
    hypervisor = LocalHypervisor(data, command=("/bin/sh", "-c", program), grace_seconds=20)
    vm = hypervisor.create(SPEC)
    eventually(lambda: (vm.folder / "console.log").read_text() == "ready\n")
    kept = data / "kept"
    (vm.folder / "work").rename(kept)  # the process keeps it as its working directory
    hypervisor.remove(SPEC.id)
    assert (kept / "asked").read_text() == "asked\n"
    shutil.rmtree(kept)


def test_other_users_cannot_enter_what_a_vm_lies_in(hypervisor: LocalHypervisor, data: Path) -> None:
    vm = hypervisor.create(SPEC)
    for folder in (data / "vms", vm.folder, vm.folder / "certs", vm.folder / "platform"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_stopped_vm_keeps_its_files_and_starts_again_as_it_was(
    hypervisor: LocalHypervisor, data: Path
) -> None:
    first = hypervisor.create(SPEC)
    (first.folder / "work" / "kept").touch()
    certificates = {path.name: path.read_bytes() for path in (first.folder / "certs").iterdir()}
    hypervisor.stop(SPEC.id)
    hypervisor.stop(SPEC.id)
    assert processes_of(data) == set()
    second = hypervisor.start(SPEC.id)
    assert hypervisor.start(SPEC.id) == second
    assert second.running
    assert (second.name, second.agent_address) == (first.name, first.agent_address)
    assert (second.folder / "work" / "kept").exists()
    assert {path.name: path.read_bytes() for path in (second.folder / "certs").iterdir()} == certificates
    assert processes_of(data) == {second.pid}


def test_a_vm_that_is_not_there_stops_but_does_not_start(hypervisor: LocalHypervisor) -> None:
    hypervisor.stop(SPEC.id)
    with pytest.raises(Conflict, match=f"no VM {SPEC.id}"):
        hypervisor.start(SPEC.id)
    hypervisor.create(SPEC)
    hypervisor.remove(SPEC.id)
    with pytest.raises(Conflict, match=f"no VM {SPEC.id}"):
        hypervisor.start(SPEC.id)


def test_a_removal_takes_no_longer_than_the_vm(hypervisor: LocalHypervisor) -> None:
    hypervisor.create(SPEC)
    begin = time.monotonic()
    hypervisor.remove(SPEC.id)
    assert time.monotonic() - begin < 4  # of the five seconds of grace


def test_the_data_folder_may_be_named_relative_to_the_present_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    vm = LocalHypervisor(Path(data.name), command=STAND_IN).create(SPEC)
    assert vm.folder == data / "vms" / SPEC.id


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    hypervisor = LocalHypervisor(tmp_path / "file", command=STAND_IN)
    with pytest.raises(Conflict, match="cannot be kept: Not a directory"):
        hypervisor.create(SPEC)


def test_a_command_that_does_not_exist_is_shown_on_the_console(data: Path) -> None:
    hypervisor = LocalHypervisor(data, command=("/no/such/program",))
    vm = hypervisor.create(SPEC)
    eventually(lambda: "/no/such/program" in (vm.folder / "console.log").read_text())
    eventually(lambda: not hypervisor.list()[0].running)


def test_the_first_vm_of_a_data_folder_makes_its_platform_and_the_next_keeps_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    hypervisor = LocalHypervisor(tmp_path, command=STAND_IN, grace_seconds=0)
    with ThreadPoolExecutor(4) as pool:
        vms = list(pool.map(hypervisor.create, [spec(f"vm-{number}") for number in range(4)]))
    chains = {(vm.folder / "platform" / "chain.pem").read_bytes() for vm in vms}
    assert chains == {(tmp_path / "platform" / "chain.pem").read_bytes()}
    for vm in vms:
        hypervisor.remove(vm.id)
