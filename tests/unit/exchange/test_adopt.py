"""What an adoption refuses before and after it changes the state."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from prism_iac.errors import Conflict
from prism_iac.exchange import LiveObjects, Planned, adopt
from prism_iac.lifecycle import EMBEDDED, Context, Session, Settings

STACK = Planned(
    "create", "urn:dev::p::pulumi:pulumi:Stack::p-dev", {"type": "pulumi:pulumi:Stack", "custom": False}
)
BUCKET = Planned("create", "urn:dev::p::aws:s3:Bucket::logs", {"type": "aws:s3:Bucket", "custom": True})
VM = Planned(
    "create",
    "urn:dev::p::pulumi-python:dynamic/prism:ConfidentialVM::trainer",
    {"type": "pulumi-python:dynamic/prism:ConfidentialVM", "custom": True},
)
EMPTY: dict[str, Any] = {"version": 3, "deployment": {}}


class Recorder:
    """An engine that plans what it is told, one plan after another, and keeps its state in memory."""

    def __init__(self, *plans: list[Planned]) -> None:
        self._plans = list(plans)
        self.state = copy.deepcopy(EMPTY)
        self.states: list[Mapping[str, Any]] = []

    def preview(self) -> list[Planned]:
        return self._plans.pop(0)

    def make_only(self, urns: Iterable[str]) -> None:
        self.state["deployment"]["resources"] = [{"urn": urn} for urn in urns]

    def export(self) -> dict[str, Any]:
        return copy.deepcopy(self.state)

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        self.state = copy.deepcopy(dict(deployment))
        self.states.append(self.state)


@pytest.fixture
def objects(tmp_path: Any) -> LiveObjects:
    def no_context(name: str, identity: str) -> Context:
        raise AssertionError(f"nothing is read of {name} {identity}")

    return LiveObjects(Session(Settings(endpoint=EMBEDDED, data=tmp_path)), {}, no_context)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ([STACK, BUCKET], "the stack would make what no workspace holds: create resource logs"),
        (
            [Planned("update", VM.urn, VM.state)],
            "the stack has changes of its own: update ConfidentialVM trainer",
        ),
        (
            [Planned("delete", VM.urn, VM.state)],
            "the stack has changes of its own: delete ConfidentialVM trainer",
        ),
        ([STACK, VM], "the program declares what the workspace does not have: create ConfidentialVM trainer"),
    ],
)
def test_a_plan_that_is_not_of_the_workspace_changes_nothing(
    objects: LiveObjects, plan: list[Planned], said: str
) -> None:
    engine = Recorder(plan)
    kept: list[Mapping[str, Any]] = []
    with pytest.raises(Conflict, match=said):
        adopt(engine, objects, expected=[], keep=kept.append)
    assert (engine.states, kept) == ([], [])


def test_a_program_that_does_not_load_the_file_changes_nothing(objects: LiveObjects) -> None:
    engine = Recorder([STACK])
    with pytest.raises(Conflict, match="the program does not declare sum"):
        adopt(engine, objects, expected=["sum"], keep=lambda _: None)
    assert engine.states == []


def test_the_state_is_put_back_unless_the_next_preview_is_empty(objects: LiveObjects) -> None:
    engine = Recorder([STACK], [Planned("same", STACK.urn, STACK.state)], [BUCKET])
    kept: list[Mapping[str, Any]] = []
    with pytest.raises(Conflict, match="the preview would not be empty: create resource logs"):
        adopt(engine, objects, expected=[], keep=kept.append)
    assert kept == [EMPTY]
    assert engine.state == EMPTY


def test_the_state_is_put_back_whatever_goes_wrong(objects: LiveObjects) -> None:
    engine = Recorder([STACK], [Planned("same", STACK.urn, STACK.state)])
    with pytest.raises(IndexError):
        adopt(engine, objects, expected=[], keep=lambda _: None)
    assert engine.state == EMPTY
