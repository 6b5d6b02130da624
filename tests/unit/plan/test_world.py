"""What counts as another world than the one that a plan was made from."""

from __future__ import annotations

from typing import Any

import pytest

from prism_iac.plan import World, digest_of_files, digest_of_state, moved
from tests.unit.plan.scene import ALGORITHM, COMPUTATION, NOW, Scene, secret, stack

STATE = {"resources": [{"urn": "a", "modified": "2026-01-01", "inputs": {"x": 1, "key": secret("a")}}]}


def test_nothing_moves_by_itself() -> None:
    assert moved(World(state="a" * 64), World(state="a" * 64)) == ()


@pytest.mark.parametrize("part", ["state", "stack_file", "program", "changes"])
def test_each_part_that_moves_is_named(part: str) -> None:
    planned, found = World(**{part: "a" * 64}), World(**{part: "b" * 64})
    (words,) = moved(planned, found)
    assert words


@pytest.mark.parametrize(
    "other",
    [
        {"resources": []},
        {"resources": [{"urn": "a", "modified": "2026-01-02", "inputs": {"x": 1}}]},
        {"resources": [{"urn": "a", "modified": "2026-01-01", "inputs": {"x": 2, "key": secret("a")}}]},
    ],
)
def test_another_state_is_another_digest(other: dict[str, Any]) -> None:
    assert digest_of_state(other) != digest_of_state(STATE)


def test_a_digest_of_state_says_nothing_of_a_secret_nor_of_a_checkout() -> None:
    (resource,) = STATE["resources"]
    elsewhere = {**resource, "inputs": {"x": 1, "key": secret("b")}, "sourcePosition": "project:///elsewhere"}
    assert digest_of_state({"resources": [elsewhere]}) == digest_of_state(STATE)


def test_files_count_by_name_and_content() -> None:
    known = digest_of_files({"a": b"1", "b": b"2"})
    assert digest_of_files({"b": b"2", "a": b"1"}) == known
    assert digest_of_files({"a": b"2", "b": b"1"}) != known
    assert digest_of_files({}) == ""


def test_the_same_changes_are_the_same_digest_in_any_order_on_any_day_in_any_checkout() -> None:
    scene = stack(lin_reg={"op": "update", "new": {**ALGORITHM, "checksum": "ee" * 32}})
    first = scene.plan()
    scene.steps.reverse()
    assert scene.plan(now=NOW.replace(day=27), salt=b"another").world.changes == first.world.changes


@pytest.mark.parametrize(
    "changed",
    [
        {"op": "update", "new": {**ALGORITHM, "checksum": "ff" * 32}},
        {"op": "replace", "new": {**ALGORITHM, "checksum": "ee" * 32}},
        {"op": "same", "new": ALGORITHM},
    ],
)
def test_another_change_is_another_digest(changed: dict[str, Any]) -> None:
    known = stack(lin_reg={"op": "update", "new": {**ALGORITHM, "checksum": "ee" * 32}}).plan()
    assert stack(lin_reg=changed).plan().world.changes != known.world.changes


def test_that_a_secret_changes_counts() -> None:
    def digest(**agent: Any) -> str:
        old = {**COMPUTATION, "agent": {"tls": "tls", "server_key": secret("a")}}
        new = {**COMPUTATION, "agent": {"tls": "tls", **agent}}
        return Scene().add("update", "Computation", "c", old=old, new=new).plan().world.changes

    assert digest(server_key=secret("b")) != digest(server_key=secret("a"), log_level="info")


def test_the_same_plan_is_the_same_bytes() -> None:
    assert stack().plan().to_json() == stack().plan().to_json()
