"""A VM of a manager, which has no list: what may exist is told with its end, and the next update takes it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import PartialResult
from prism_iac.lifecycle import Live
from prism_iac.model.resources import ConfidentialVM
from prism_iac.provider.repair import Outcome, Unlisted, unlisted
from tests.contract.hypervisor.managers import OwnManager, own_manager
from tests.contract.lifecycle.stage import Stage, eventually
from tests.contract.lifecycle.test_vm_of_a_manager import losing_replies
from tests.contract.repair.states import resource, settle, state

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[OwnManager]:
    with own_manager(tmp_path / "manager") as manager:
        yield manager


@pytest.mark.parametrize(("ttl", "hour"), [({}, 12), ({"ttl": "2h"}, 14)])
def test_what_may_exist_is_told_with_its_end(ttl: dict[str, Any], hour: int) -> None:
    inputs = {"provider": "cocos", "manager": "host:7020", **ttl}
    day = 31 if ttl else 1
    (told,) = unlisted(
        [
            resource("ConfidentialVM", "trainer", inputs),
            resource("ConfidentialVM", "here", {"provider": "local"}),
        ],
        NOW,
    )
    assert told == Unlisted("trainer", "host:7020", datetime(2027, 1 if ttl else 2, day, hour, tzinfo=UTC))
    assert f"ends by itself until {told.until:%Y-%m-%d} {hour}:00 UTC" in str(told)


def test_a_create_whose_reply_was_lost_is_recorded_and_the_next_update_leaves_one_machine(
    stage: Stage, manager: OwnManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: dict[str, Any] = {"provider": "cocos", "manager": manager.address}
    with losing_replies(monkeypatch) as made, pytest.raises(PartialResult):
        stage.create("ConfidentialVM", "trainer", **wanted)
    inputs = stage.check("ConfidentialVM", "trainer", **wanted)
    (decision,), after = settle(
        stage, state(pending=(("creating", resource("ConfidentialVM", "trainer", inputs)),))
    )
    assert decision.outcome is Outcome.RECORDED
    recorded = after.resources[-1]
    outputs = {name: value for name, value in recorded["outputs"].items() if name != "__provider"}
    live = Live(str(recorded["id"]), ConfidentialVM.parse(outputs))
    assert live.state.cvm_id is None
    eventually(lambda: stage.workspace.cvms.get(live.id).cvm_id == made[0])
    stage.begin_deployment()
    vm = stage.update(live)
    assert manager.vms() == [vm.state.cvm_id]
    stage.delete(vm)
