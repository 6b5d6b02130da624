"""What carries a mark and is in no state is found; what is another's is known for that."""

from __future__ import annotations

from typing import Any

import pytest

from prism_iac._engine import STACK_FILE_TYPE
from prism_iac.errors import Conflict
from prism_iac.lifecycle import HANDLERS, check
from prism_iac.model import VmProvider
from prism_iac.provider._identity import identity_stem
from prism_iac.provider.faces import Face
from prism_iac.provider.repair import (
    VM_PROCESS,
    Marks,
    Orphan,
    Owner,
    StackState,
    find_orphans,
    remove_orphan,
)
from tests.contract.lifecycle.stage import ADA, Stage
from tests.contract.repair.states import PROJECT, STACK, TOKENS, resource, services, state, urn_of

ASSET: dict[str, Any] = {
    "asset_type": "dataset",
    "description": "a dataset",
    "provider": ADA,
    "checksum": "ab" * 32,
}


def orphans(stage: Stage, of: StackState, *copies: StackState) -> list[Orphan]:
    marks = Marks()
    marks.add_stack(STACK, PROJECT)
    for known in (of, *copies):
        marks.add_resources([*known.resources, *(item.resource for item in known.pending)])
    with services(stage, of) as reached:
        return [
            orphan
            for orphan in find_orphans({STACK: reached}, marks)
            if orphan.what != VM_PROCESS or orphan.owner
        ]


def remove(stage: Stage, orphan: Orphan) -> None:
    # The connections that found it are closed.
    with services(stage, state()) as reached:
        ((deployment, _),) = reached.places()
        remove_orphan(Orphan(orphan.what, orphan.id, orphan.name, orphan.workspace, orphan.owner, deployment))


def identity_of(kind: str, name: str, face: Face, *, parent: tuple[str, ...] = ()) -> str:
    """What a program of the stack would create it under."""
    if face is Face.NATIVE:
        return f"{identity_stem(urn_of(f'{TOKENS[face]}{kind}', name))}.0"
    return f"{identity_stem(PROJECT, STACK, *parent, f'dynamic/prism:{kind}', name)}.0"


def make(stage: Stage, kind: str, name: str, identity: str, **properties: Any) -> str:
    context = stage.context(name, identity)
    inputs = check(HANDLERS[kind], properties, context)
    return str(HANDLERS[kind].create(HANDLERS[kind].model.parse(inputs), context).id)


@pytest.mark.parametrize("face", Face)
def test_what_is_called_after_a_resource_of_the_stack_is_its_own(stage: Stage, face: Face) -> None:
    made = {
        "Computation": make(
            stage, "Computation", "sum", identity_of("Computation", "sum", face), description="adds numbers"
        ),
        "Asset": make(
            stage, "Asset", "numbers", identity_of("Asset", "numbers", face), **ASSET, file_name="numbers.txt"
        ),
        "ConfidentialVM": make(
            stage, "ConfidentialVM", "trainer", identity_of("ConfidentialVM", "trainer", face)
        ),
    }
    found = orphans(stage, state())
    assert {orphan.what: orphan.id for orphan in found} == made
    assert [orphan.owner for orphan in found] == [
        Owner(STACK, "Computation", "sum"),
        Owner(STACK, "Asset", "numbers"),
        Owner(STACK, "ConfidentialVM", "trainer"),
    ]
    for orphan in found:
        remove(stage, orphan)
    assert orphans(stage, state()) == []
    assert stage.session.hypervisor(VmProvider.LOCAL).find(made["ConfidentialVM"]) is None


def test_what_a_stack_file_declared_is_its_own(stage: Stage) -> None:
    identity = identity_of("Computation", "sum", Face.DYNAMIC, parent=(STACK_FILE_TYPE, STACK))
    make(stage, "Computation", "sum", identity, description="adds numbers")
    (orphan,) = orphans(stage, state())
    assert orphan.owner == Owner(STACK, "Computation", "sum")


def test_what_the_state_has_or_is_about_to_have_is_none(stage: Stage) -> None:
    live = stage.computation()
    recorded = resource("Computation", "sum", live.state.inputs(), live=live)
    assert orphans(stage, state(recorded)) == []
    identity = identity_of("Computation", "more", Face.DYNAMIC)
    make(stage, "Computation", "more", identity, description="more")
    pending = resource("Computation", "more", {"identity": identity, "workspace": stage.workspace_name})
    assert orphans(stage, state(recorded, pending=(("creating", pending),))) == []


def test_a_copy_of_the_state_tells_of_what_it_has_no_more(stage: Stage) -> None:
    first, again = (stage.create("Asset", "it", generation=number, **ASSET) for number in range(2))
    stage.create("Asset", "another", **ASSET)
    copy = state(resource("Asset", "it", first.state.inputs(), live=first))
    owners = {orphan.id: orphan.owner for orphan in orphans(stage, state(), copy)}
    assert owners.pop(first.id) == owners.pop(again.id) == Owner(STACK, "Asset", "it")
    assert list(owners.values()) == [None]


def test_a_copy_of_another_stacks_state_tells_of_nothing(stage: Stage) -> None:
    live = stage.create("Asset", "it", **ASSET)
    recorded = resource("Asset", "it", live.state.inputs(), live=live)
    elsewhere = {**recorded, "urn": recorded["urn"].replace(f":{STACK}::", ":dev-pr-12::")}
    (orphan,) = orphans(stage, state(), state(elsewhere))
    assert (orphan.id, orphan.owner) == (live.id, None)


def test_what_carries_no_mark_is_never_shown(stage: Stage) -> None:
    computations = stage.workspace.computations
    computations.create(name="by-hand", description="adds numbers", agent_config=None)
    assert orphans(stage, state()) == []


def test_a_process_whose_record_is_gone_is_found_and_removed(stage: Stage) -> None:
    vm = make(stage, "ConfidentialVM", "lost", identity_of("ConfidentialVM", "lost", Face.DYNAMIC))
    stage.workspace.cvms.delete(vm)
    (orphan,) = orphans(stage, state())
    assert (orphan.what, orphan.id, orphan.owner) == (VM_PROCESS, vm, Owner(STACK, "ConfidentialVM", "lost"))
    remove(stage, orphan)
    assert stage.session.hypervisor(VmProvider.LOCAL).find(vm) is None


def test_an_asset_that_is_in_use_is_not_removed(stage: Stage) -> None:
    asset = stage.create("Asset", "it", **ASSET)
    computation = stage.computation(datasets=[asset.id])
    recorded = resource("Computation", "sum", computation.state.inputs(), live=computation)
    (orphan,) = orphans(stage, state(recorded))
    with pytest.raises(Conflict, match="linked to the computations"):
        remove(stage, orphan)
