"""What is killed at every call: one step in the life of one resource, by its handler, in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from prism_iac.lifecycle import Live
from prism_iac.model import VmProvider
from tests.contract.lifecycle.stage import Stage

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.faults.scenarios"])


@dataclass(frozen=True)
class Scenario:
    """A step that is cut off and taken again.

    Attributes:
        inputs: Of the resource, by kind.
        changes: Of its inputs, where the step is an update.
    """

    kind: str
    step: str
    inputs: Mapping[str, Any]
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} {self.step}"

    def prepare(self, stage: Stage) -> Live[Any] | None:
        """What was there before; None for a create."""
        _ = stage.workspace  # made before the faults
        return None if self.step == "create" else self._create(stage)

    def take(self, stage: Stage, before: Live[Any] | None) -> Live[Any] | None:
        """The step; gives the object as it is afterwards."""
        if before is None:
            return self._create(stage)
        if self.step == "update":
            return stage.update(before, **self.changes)
        stage.delete(before)
        return None

    def _create(self, stage: Stage) -> Live[Any]:
        return stage.create(self.kind, "subject", **self.inputs)


CALLING: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("Computation", {"name": "subject", "description": "one"}, {"description": "two"}),
    ("ConfidentialVM", {}, {}),
)
"""Kinds whose handlers call Prism at each step; a VM has no update, every change replaces it."""


def _apart(scenario: Scenario, data: Path, workspace: str, before: Live[Any] | None) -> None:
    stage = Stage(data, workspace)
    scenario.take(stage, before)
    stage.session.close()


def take_apart(scenario: Scenario, stage: Stage, before: Live[Any] | None) -> BaseProcess:
    """The step in a process of its own, not started."""
    return PROCESSES.Process(target=_apart, args=(scenario, stage.data, stage.workspace_name, before))


SCENARIOS: Final = tuple(
    Scenario(kind, step, inputs, changes)
    for kind, inputs, changes in CALLING
    for step in ("create", *(["update"] if changes else []), "delete")
)


ISSUED: Final[dict[str, Any]] = {"source": "prism", "mode": "mtls"}
"""A bundle of Prism's certificates, but for its VM."""


def alive(stage: Stage) -> list[str]:
    """The records of the workspace; a VM counts as well by its process, under the same id."""
    workspace = stage.workspace
    cvms = [item.id for item in workspace.cvms.list()]
    running = {vm.id for vm in stage.session.hypervisor(VmProvider.LOCAL).list()}
    assert set(cvms) <= running
    return [item.id for item in workspace.computations.list()] + cvms
