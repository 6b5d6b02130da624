"""An update does its first half, or a destroy some of its deletes, and the next one does all of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import PartialResult, PrismError
from prism_iac.lifecycle import Live
from prism_iac.model.resources import Computation
from prism_iac.testing.faults import Fault, FaultProxy, Rule
from tests.contract.lifecycle.stage import ADA, EVE, Stage, roles_of

ALWAYS = 1_000_000


@pytest.mark.fault(15)
@pytest.mark.parametrize("second_half", ["POST .*/roles", "POST .*/assets/[^/]+/[^/]+$"])
def test_an_update_that_stopped_half_way_is_done_by_the_next(
    data: Path, stage: Stage, numbers: Path, second_half: str
) -> None:
    dataset = stage.dataset(numbers)
    computation = stage.computation()
    wanted: dict[str, Any] = {
        "description": "adds three numbers",
        "datasets": [dataset.id],
        "result_consumers": [ADA],
    }
    with FaultProxy.before_embedded(data, [Rule(Fault.EXPIRED, second_half, times=ALWAYS)]):
        stage.begin_deployment()
        with pytest.raises(PartialResult) as failed:
            stage.update(computation, **wanted)
    stage.begin_deployment()
    assert failed.value.id == computation.id
    assert stage.workspace.computations.get(computation.id).description.startswith("adds three numbers")
    partial = Live(failed.value.id, Computation.parse(failed.value.state))
    assert set(stage.drift(partial)) <= {"datasets", "result_consumers"}

    whole = stage.update(partial, **wanted)
    assert stage.drift(whole) == {}
    assert roles_of(stage, whole)[ADA] == "dataset_provider+result_consumer"


@pytest.mark.fault(15)
@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_part_that_was_given_half_way_takes_no_grant_away(data: Path, stage: Stage, done: int) -> None:
    computation = stage.computation()
    grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["view", "run"])
    changes = "(POST|PUT|DELETE) .*/computations/[^/]+/roles"
    with FaultProxy.before_embedded(data, [Rule(Fault.EXPIRED, changes, skip=done, times=ALWAYS)]):
        stage.begin_deployment()
        with suppress(PartialResult):
            stage.update(computation, result_consumers=[EVE])
    assert stage.drift(grant) == {}
    whole = stage.update(computation, result_consumers=[EVE])
    assert stage.drift(whole) == {}
    assert stage.drift(grant) == {}


@pytest.mark.fault(25)
def test_a_token_that_ends_in_mid_destroy_is_refreshed(data: Path, stage: Stage, numbers: Path) -> None:
    dataset = stage.dataset(numbers)
    with FaultProxy.before_embedded(data, [Rule(Fault.EXPIRED, "DELETE .*/assets/")]) as proxy:
        stage.begin_deployment()
        stage.delete(dataset)
    assert proxy.struck == [Fault.EXPIRED]
    stage.begin_deployment()
    assert list(stage.workspace.assets.list()) == []


@pytest.mark.fault(25)
def test_where_no_other_token_is_given_the_rest_is_left_for_the_next_destroy(
    data: Path, stage: Stage, numbers: Path
) -> None:
    dataset = stage.dataset(numbers)
    never = Rule(Fault.EXPIRED, "DELETE .*/assets/", times=ALWAYS)
    with FaultProxy.before_embedded(data, [never]):
        stage.begin_deployment()
        with pytest.raises(PrismError, match="the token has expired"):
            stage.delete(dataset)
    stage.begin_deployment()
    assert [asset.id for asset in stage.workspace.assets.list()] == [dataset.id]
    stage.delete(dataset)
    assert list(stage.workspace.assets.list()) == []
