"""What carries a mark and is in no state: computations and assets by their description, VMs by their name.

Looked at are the workspaces that the given stacks name, and the VMs of this machine. What a state has, or one of its pending
operations may have made, is none. Bundles, policies, grants and keys carry no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prism_iac.lifecycle import HANDLERS, Session
from prism_iac.model import VmProvider, unmarked
from prism_iac.provider.repair._marks import Marks, Owner
from prism_iac.provider.repair._recorded import kind_of
from prism_iac.provider.repair._services import Services

if TYPE_CHECKING:
    from prism_iac.provider._deployment import Deployment

__all__ = ["VM_PROCESS", "Orphan", "find_orphans", "remove_orphan"]

VM_PROCESS: Final = "VM process"
"""What a VM of this machine is whose record is gone."""

_DRIVEN: Final = (VmProvider.LOCAL, VmProvider.QEMU)
_AUTOMATIC_NAME: Final = re.compile(r".-[0-9a-f]{7}")
_ORDER: Final = ("Computation", "Asset", "ConfidentialVM", VM_PROCESS)
"""What goes first: an asset that is linked cannot go before its computation."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that nobody manages.

    Attributes:
        what: Its kind, or `VM_PROCESS`.
        name: How people know it.
        workspace: Where it lies; empty for the process of a VM.
        owner: The resource that it was made for; None where that is of no given stack.
    """

    what: str
    id: str
    name: str
    workspace: str
    owner: Owner | None
    deployment: Deployment = field(repr=False, compare=False)


@dataclass(slots=True)
class _Known:
    """What is managed."""

    ids: set[str] = field(default_factory=set)
    being_made: set[Owner] = field(default_factory=set)


def find_orphans(stacks: dict[str, Services], marks: Marks) -> list[Orphan]:
    """Every orphan, those that must go first first.

    Args:
        stacks: By the names of the stacks.
        marks: Those that these stacks give.

    Raises:
        PrismError: A Prism does not answer.
    """
    known = _known(stacks)
    found: dict[tuple[str, str], Orphan] = {}
    for services in stacks.values():
        for deployment, workspaces in services.places():
            for workspace in workspaces:
                for orphan in _of_workspace(workspace, deployment, marks):
                    found.setdefault((orphan.what, orphan.id), orphan)
            listed = {orphan.id for orphan in found.values()}
            for orphan in _of_machine(deployment, marks):
                if orphan.id not in listed:
                    found.setdefault((orphan.what, orphan.id), orphan)
    left = [
        orphan
        for orphan in found.values()
        if orphan.id not in known.ids and orphan.owner not in known.being_made
    ]
    return sorted(left, key=lambda orphan: (_ORDER.index(orphan.what), orphan.workspace, orphan.name))


def remove_orphan(orphan: Orphan) -> None:
    """Remove it as its resource would have been.

    Raises:
        PrismError: It is in use, or its Prism refuses or does not answer.
    """
    deployment = orphan.deployment
    deployment.begin_change()
    if orphan.what in ("ConfidentialVM", VM_PROCESS):
        if orphan.workspace:
            deployment.session.workspace(orphan.workspace).cvms.delete(orphan.id)
        for driver in _DRIVEN:
            deployment.session.hypervisor(driver).remove(orphan.id)
        return
    handler, context = HANDLERS[orphan.what], deployment.context(orphan.name, "")
    live = handler.recall(f"{orphan.workspace}/{orphan.id}", context)
    if live is not None:
        handler.delete(live, context)


def _known(stacks: dict[str, Services]) -> _Known:
    known = _Known()
    for stack, services in stacks.items():
        known.ids |= {
            str(item["id"]) for item in services.state.resources if kind_of(item) and item.get("id")
        }
        known.being_made |= {
            Owner(stack, pending.kind, pending.name) for pending in services.state.pending if pending.kind
        }
    return known


def _of_workspace(workspace: str, deployment: Deployment, marks: Marks) -> Iterator[Orphan]:
    session: Session = deployment.session
    lists = session.workspace(workspace)
    for computation in lists.computations.list():
        if mark := unmarked(computation.description)[1]:
            owner = marks.owner_of_mark(mark, "Computation", [computation.name])
            yield Orphan("Computation", computation.id, computation.name, workspace, owner, deployment)
    for asset in lists.assets.list():
        if mark := unmarked(asset.description)[1]:
            words = unmarked(asset.description)[0]
            stem = asset.file_name.partition(".")[0]
            owner = marks.owner_of_mark(mark, "Asset", [asset.file_name, stem, words])
            yield Orphan("Asset", asset.id, asset.file_name or words, workspace, owner, deployment)
    for cvm in lists.cvms.list():
        if _AUTOMATIC_NAME.search(cvm.name[-9:]):
            yield Orphan(
                "ConfidentialVM", cvm.id, cvm.name, workspace, marks.owner_of_vm(cvm.name), deployment
            )


def _of_machine(deployment: Deployment, marks: Marks) -> Iterator[Orphan]:
    for driver in _DRIVEN:
        for vm in deployment.session.hypervisor(driver).list():
            if _AUTOMATIC_NAME.search(vm.name[-9:]):
                yield Orphan(VM_PROCESS, vm.id, vm.name, "", marks.owner_of_vm(vm.name), deployment)
