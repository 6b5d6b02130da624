"""Whoever makes or removes a VM may be killed at any point; the next one finishes the work."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from prism_iac.hypervisor._lock import locked
from prism_iac.hypervisor.local import LocalHypervisor
from tests.unit.hypervisor.conftest import SPEC, eventually, processes_of
from tests.unit.hypervisor.killed import Point, end_of

ROOM = "prism_iac.hypervisor"
CREATE_POINTS = [
    Point("before", f"{ROOM}._folder", "VmFolder.prepare"),
    Point("after", f"{ROOM}._folder", "write_private", call=2),
    Point("after", f"{ROOM}._folder", "VmFolder.prepare"),
    Point("after", f"{ROOM}.local._hypervisor", "launch_guest"),
    Point("after", f"{ROOM}._folder", "VmFolder.write_environment"),
    Point("before", f"{ROOM}._start", "identity_of"),
    Point("before", f"{ROOM}._folder", "VmFolder.write_facts"),
    Point("after", f"{ROOM}._folder", "VmFolder.write_facts"),
    Point("after", f"{ROOM}._start", "GatedProcess.open_gate"),
    Point("after", f"{ROOM}._folder", "VmFolder.write_facts", call=2),
]
GATE_STAYS_CLOSED = CREATE_POINTS[:-2]
REMOVE_POINTS = [
    Point("before", f"{ROOM}._folder", "VmFolder.mark_removing"),
    Point("after", f"{ROOM}._folder", "VmFolder.mark_removing"),
    Point("after", f"{ROOM}._life", "end_processes"),
    Point("before", f"{ROOM}._folder", "VmFolder.delete"),
    Point("after", "os", "unlink", call=1),
    Point("after", "os", "unlink", call=3),
    Point("after", "os", "rmdir", call=2),
    Point("after", f"{ROOM}._folder", "VmFolder.delete"),
]


@pytest.mark.parametrize("point", CREATE_POINTS, ids=str)
def test_a_create_that_was_killed_leaves_one_process_after_the_next(
    hypervisor: LocalHypervisor,
    data: Path,
    point: Point,
) -> None:
    assert end_of(data, "create", point) == -signal.SIGKILL
    vm = hypervisor.create(SPEC)
    eventually(lambda: processes_of(data) == {vm.pid})
    assert hypervisor.list() == (vm,)
    assert vm.running
    assert (vm.folder / "certs" / "key.pem").read_bytes() == SPEC.client_key


@pytest.mark.parametrize("point", GATE_STAYS_CLOSED, ids=str)
def test_a_create_that_was_killed_before_the_gate_leaves_no_process(data: Path, point: Point) -> None:
    assert end_of(data, "create", point) == -signal.SIGKILL
    eventually(lambda: processes_of(data) == set())


@pytest.mark.parametrize("point", CREATE_POINTS, ids=str)
def test_what_a_killed_create_left_can_be_removed(
    hypervisor: LocalHypervisor,
    data: Path,
    point: Point,
) -> None:
    assert end_of(data, "create", point) == -signal.SIGKILL
    hypervisor.remove(SPEC.id)
    eventually(lambda: processes_of(data) == set())
    assert not (data / "vms" / SPEC.id).exists()


@pytest.mark.parametrize("point", REMOVE_POINTS, ids=str)
@pytest.mark.parametrize("finisher", ["list", "remove", "create"])
def test_a_removal_that_was_killed_is_finished_by_the_next_call(
    hypervisor: LocalHypervisor,
    data: Path,
    point: Point,
    finisher: str,
) -> None:
    before = hypervisor.create(SPEC)
    assert end_of(data, "remove", point) == -signal.SIGKILL
    has_begun = point is not REMOVE_POINTS[0]
    if has_begun:
        assert hypervisor.find(SPEC.id) is None
    if finisher == "create":
        vm = hypervisor.create(SPEC)
        assert (vm.pid != before.pid) is has_begun
        assert processes_of(data) == {vm.pid}
        return
    if finisher == "remove" or not has_begun:
        hypervisor.remove(SPEC.id)
    assert hypervisor.list() == ()
    assert not before.folder.exists()
    assert processes_of(data) == set()


def test_a_create_that_is_under_way_is_left_alone_by_list(hypervisor: LocalHypervisor, data: Path) -> None:
    folder = data / "vms" / SPEC.id
    folder.mkdir(parents=True)
    with locked(data / "vms" / ".locks" / SPEC.id):
        assert hypervisor.list() == ()
        assert folder.exists()
    assert hypervisor.list() == ()
    assert not folder.exists()


def test_facts_that_cannot_be_read_are_as_none(hypervisor: LocalHypervisor, data: Path) -> None:
    folder = data / "vms" / SPEC.id
    folder.mkdir(parents=True)
    (folder / "vm.json").write_text('{"id": ')
    assert hypervisor.find(SPEC.id) is None
    vm = hypervisor.create(SPEC)
    assert processes_of(data) == {vm.pid}
