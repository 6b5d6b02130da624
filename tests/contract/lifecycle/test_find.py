"""What a create made is found again by its inputs alone, and nothing is made by looking."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from prism_iac.errors import PartialResult
from prism_iac.lifecycle import HANDLERS, Live
from prism_iac.model import VmProvider
from tests.contract.lifecycle.stage import ADA, EVE, Stage

FOUND: Final = ("Computation", "Asset", "Participant", "AttestationPolicy", "ConfidentialVM")
"""The kinds whose objects are looked for."""


def properties_of(kind: str, stage: Stage, folder: Path) -> dict[str, Any]:
    """Inputs of one."""
    match kind:
        case "Computation":
            return {"name": "sum", "description": "adds numbers", "result_consumers": [ADA]}
        case "Asset":
            return {
                "asset_type": "dataset",
                "description": "a dataset",
                "provider": ADA,
                "checksum": "ab" * 32,
            }
        case "Participant":
            return {"computation": stage.computation("of-eve").id, "user": EVE, "actions": ["edit"]}
        case "AttestationPolicy":
            return {"path": str(folder / "policy.json"), "measurement": "ab" * 48}
        case _:
            return {}


def look_for(stage: Stage, kind: str, inputs: dict[str, Any]) -> Live[Any] | None:
    """What a later process finds."""
    stage.begin_deployment()
    handler = HANDLERS[kind]
    return handler.find(handler.model.parse(inputs), stage.context("it", inputs["identity"]))


def test_every_kind_is_looked_for_or_says_why_not() -> None:
    assert {kind for kind, handler in HANDLERS.items() if handler.made_again is None} == set(FOUND)


@pytest.mark.parametrize("kind", FOUND)
def test_what_was_made_is_found_as_a_read_sees_it(stage: Stage, tmp_path: Path, kind: str) -> None:
    properties = properties_of(kind, stage, tmp_path)
    inputs = stage.check(kind, "it", **properties)
    assert look_for(stage, kind, inputs) is None
    made = stage.create(kind, "it", **properties)
    assert look_for(stage, kind, inputs) == stage.read(made)
    # That of the next generation is another one.
    assert kind in ("Participant", "AttestationPolicy") or (
        look_for(stage, kind, {**inputs, "identity": "another.1"}) is None
    )
    stage.delete(made)
    assert look_for(stage, kind, inputs) is None


def test_a_computation_without_its_roles_is_found_with_the_difference(stage: Stage) -> None:
    stage.computation()
    wanted = stage.check("Computation", "sum", name="sum", description="adds numbers", result_consumers=[ADA])
    found = look_for(stage, "Computation", wanted)
    assert found is not None
    assert found.state.result_consumers == ()


def test_a_computation_of_somebody_else_is_not_found(stage: Stage) -> None:
    stage.workspace.computations.create(name="sum", description="adds numbers", agent_config=None)
    wanted = stage.check("Computation", "sum", name="sum", description="adds numbers")
    assert look_for(stage, "Computation", wanted) is None


def test_a_policy_file_that_says_something_else_is_not_found(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text("{}")
    inputs = stage.check("AttestationPolicy", "it", **properties_of("AttestationPolicy", stage, tmp_path))
    assert look_for(stage, "AttestationPolicy", inputs) is None


def test_a_vm_that_has_its_record_alone_is_found_unfinished(stage: Stage) -> None:
    vm = stage.create("ConfidentialVM", "it")
    stage.session.hypervisor(VmProvider.LOCAL).remove(vm.id)
    with pytest.raises(PartialResult) as found:
        look_for(stage, "ConfidentialVM", stage.check("ConfidentialVM", "it"))
    assert found.value.id == vm.id
    stage.delete(vm)
