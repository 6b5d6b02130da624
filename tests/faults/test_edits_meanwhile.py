"""Somebody edits an object while an update is between its read and its write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from prism_iac.lifecycle import Live
from prism_iac.model import Action
from prism_iac.testing.faults import FaultProxy
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage, roles_of


@contextmanager
def edit_before(proxy: FaultProxy, call: str, edit: Callable[[], object]) -> Iterator[None]:
    """Edit once, when the first call that matches is on its way and the backend has not heard of it."""
    pending, before = [edit], proxy.passing

    @contextmanager
    def passing(met: str) -> Iterator[None]:
        if pending and re.search(call, met):
            pending.pop()()
        yield

    proxy.passing = passing
    try:
        yield
        assert not pending, f"nothing called {call}"
    finally:
        proxy.passing = before


@pytest.fixture
def somebody(data: Path) -> Iterator[Stage]:
    """Somebody who works at Prism directly; the proxy comes after them."""
    somebody = Stage(data, f"w-{uuid4().hex[:8]}")
    _ = somebody.workspace
    yield somebody
    somebody.session.close()


@pytest.fixture
def proxy(data: Path, somebody: Stage) -> Iterator[FaultProxy]:
    _ = somebody.workspace  # made before
    with FaultProxy.before_embedded(data) as proxy:
        yield proxy


@pytest.fixture
def stage(data: Path, proxy: FaultProxy, somebody: Stage) -> Iterator[Stage]:
    """The deployment, whose calls come by the proxy."""
    stage = Stage(data, somebody.workspace_name)
    _ = stage.workspace
    assert proxy.calls
    yield stage
    stage.session.close()


@pytest.mark.fault(19)
def test_what_is_declared_wins(stage: Stage, proxy: FaultProxy, somebody: Stage) -> None:
    computation = stage.computation()

    def rename() -> None:
        computations = somebody.workspace.computations
        record = computations.get(computation.id)
        computations.update(record.id, name="total", description="edited by hand")

    with edit_before(proxy, "PUT .*/computations/", rename):
        updated = stage.update(computation, description="adds three numbers")
    assert stage.drift(updated) == {}


@pytest.mark.fault(19)
def test_what_belongs_to_others_stays(stage: Stage, proxy: FaultProxy, somebody: Stage) -> None:
    computation = stage.computation(result_consumers=[ADA])
    grace = somebody.session.user(GRACE, somebody.workspace_name)

    def grant() -> None:
        somebody.workspace.roles.create(
            computation.id, name="operators", actions=[Action.VIEW, Action.RUN], members=[grace.id]
        )

    with edit_before(proxy, "POST .*/computations/[^/]+/roles/[^/]+/members$", grant):
        updated = stage.update(computation, result_consumers=[ADA, EVE])
    assert roles_of(stage, updated)[GRACE] == "operators"
    assert stage.drift(updated) == {}


@pytest.mark.fault(13)
def test_what_another_deployment_makes_at_the_same_moment_is_taken(
    stage: Stage, proxy: FaultProxy, somebody: Stage
) -> None:
    computation = stage.computation()

    def deploy(machine: Stage) -> Live[Any]:
        actions = ["view", "run"]
        return machine.create("Participant", "eve", computation=computation.id, user=EVE, actions=actions)

    with edit_before(proxy, "POST .*/computations/[^/]+/roles$", lambda: deploy(somebody)):
        grant = deploy(stage)
    assert roles_of(stage, computation)[EVE] == grant.state.role
    assert stage.drift(grant) == {}
