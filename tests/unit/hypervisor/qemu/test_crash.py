"""Whoever makes or removes a VM of QEMU may be killed at any point; the next one finishes the work.

The points between are those of every VM of this machine, which `tests/unit/hypervisor/test_crash.py` walks.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from prism_iac.hypervisor import VmSpec
from prism_iac.hypervisor.qemu import QemuHypervisor
from tests.unit.hypervisor.conftest import SPEC, eventually
from tests.unit.hypervisor.killed import Point, end_of
from tests.unit.hypervisor.qemu.conftest import guests_in, plain

ROOM = "prism_iac.hypervisor"
CREATE_POINTS = [
    Point("after", f"{ROOM}._folder", "VmFolder.prepare"),
    Point("after", f"{ROOM}.qemu._hypervisor", "launch_guest"),
    Point("before", "shutil", "copyfile"),
    Point("after", "shutil", "copyfile"),
    Point("before", f"{ROOM}._folder", "VmFolder.write_facts"),
    Point("after", f"{ROOM}._start", "GatedProcess.open_gate"),
    Point("after", f"{ROOM}._folder", "VmFolder.write_facts", call=2),
]
REMOVE_POINTS = [
    Point("after", f"{ROOM}._folder", "VmFolder.mark_removing"),
    Point("after", f"{ROOM}._life", "end_processes"),
    Point("after", "os", "unlink", call=3),
    Point("after", f"{ROOM}._folder", "VmFolder.delete"),
]


def _spec(tmp_path: Path) -> VmSpec:
    for name in ("firmware", "variables"):
        (tmp_path / name).write_bytes(b"whole")
    files = {name: str(tmp_path / name) for name in ("firmware", "variables")}
    return plain(tmp_path, evidence="simulated", **files)


@pytest.mark.parametrize("point", CREATE_POINTS, ids=str)
def test_a_create_that_was_killed_leaves_one_whole_vm_after_the_next(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path, point: Point
) -> None:
    spec = _spec(tmp_path)
    assert end_of(data, "create", point, opened=QemuHypervisor, spec=spec) == -signal.SIGKILL
    vm = hypervisor.create(spec)
    eventually(lambda: guests_in(data) == {vm.pid})
    assert hypervisor.list() == (vm,)
    assert (vm.folder / "vars.fd").read_bytes() == b"whole"
    assert (vm.folder / "certs" / "key.pem").read_bytes() == SPEC.client_key


@pytest.mark.parametrize("point", CREATE_POINTS, ids=str)
def test_what_a_killed_create_left_can_be_removed(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path, point: Point
) -> None:
    assert end_of(data, "create", point, opened=QemuHypervisor, spec=_spec(tmp_path)) == -signal.SIGKILL
    hypervisor.remove(SPEC.id)
    eventually(lambda: guests_in(data) == set())
    assert not (data / "qemu" / SPEC.id).exists()


@pytest.mark.parametrize("point", REMOVE_POINTS, ids=str)
def test_a_removal_that_was_killed_is_finished_by_the_next_look(
    hypervisor: QemuHypervisor, data: Path, tmp_path: Path, point: Point
) -> None:
    vm = hypervisor.create(_spec(tmp_path))
    assert end_of(data, "remove", point, opened=QemuHypervisor) == -signal.SIGKILL
    assert hypervisor.find(SPEC.id) is None
    assert hypervisor.list() == ()
    assert not vm.folder.exists()
    eventually(lambda: guests_in(data) == set())
