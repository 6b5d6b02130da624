"""What every manager does, through our client: our own here, Cocos' in tests/interop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.hypervisor import VmSpec
from prism_iac.hypervisor.cocos import CocosManager, ManagerAccess, ManagerRefused
from prism_iac.model import LogLevel, Platform

HOUR = timedelta(hours=1)
PATIENCE_SECONDS = 30.0

SPEC = VmSpec(
    id="the-record",
    name="trainer",
    platform=Platform.SEV_SNP,
    vcpus=2,
    agent_log_level=LogLevel.INFO,
    control_address="127.0.0.1:9",
    control_ca=b"",
    client_certificate=b"",
    client_key=b"",
)
"""A VM whose agent finds nobody to talk to, and goes on trying."""


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)


class ManagerCases:
    """Needs the fixtures `access`, of a manager for two VMs of two vCPUs, and `restart`."""

    def test_a_vm_is_there_from_its_creation_to_its_removal(self, access: ManagerAccess) -> None:
        with CocosManager(access) as manager:
            machine = manager.create(SPEC, ttl=HOUR)
            host, _, port = machine.agent_address.rpartition(":")
            assert host == access.host
            assert int(port) > 0
            assert manager.exists(machine.id)
            manager.remove(machine.id)
            assert not manager.exists(machine.id)

    def test_a_removal_of_what_is_gone_is_fine(self, access: ManagerAccess) -> None:
        with CocosManager(access) as manager:
            manager.remove(str(uuid4()))

    def test_one_more_than_there_may_be_is_refused_and_a_removal_makes_room(
        self, access: ManagerAccess
    ) -> None:
        with CocosManager(access) as manager:
            first, _ = manager.create(SPEC, ttl=HOUR), manager.create(SPEC, ttl=HOUR)
            with pytest.raises(ManagerRefused, match="maximum number of VMs exceeded") as full:
                manager.create(SPEC, ttl=HOUR)
            assert "raise the manager's limit" in full.value.next_step
            manager.remove(first.id)
            assert manager.exists(manager.create(SPEC, ttl=HOUR).id)

    def test_a_vm_ends_with_its_time_to_live(self, access: ManagerAccess) -> None:
        with CocosManager(access) as manager:
            machine = manager.create(SPEC, ttl=timedelta(seconds=1))
            eventually(lambda: not manager.exists(machine.id))

    def test_a_restart_keeps_the_vms(self, access: ManagerAccess, restart: Callable[[], None]) -> None:
        with CocosManager(access) as manager:
            machine = manager.create(SPEC, ttl=HOUR)
        restart()
        with CocosManager(access) as manager:
            assert manager.exists(machine.id)
            manager.remove(machine.id)
            manager.remove(machine.id)

    def test_other_vcpus_than_its_own_are_told_before_a_vm_is_made(self, access: ManagerAccess) -> None:
        with CocosManager(access) as manager:
            manager.require(vcpus=2)
            with pytest.raises(InvalidInput, match="makes VMs of 2 vCPUs, not 4"):
                manager.require(vcpus=4)
