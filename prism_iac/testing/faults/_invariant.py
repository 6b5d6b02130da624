"""What holds after every kill and the update that follows it: as many live objects as state tells of, no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prism_iac.hypervisor import open_hypervisor
from prism_iac.model import VmProvider
from prism_iac.prism import Workspace
from prism_iac.testing.faults._world import World

__all__ = ["violations"]

_NEVER: Final = ("PRIVATE KEY",)
"""What is in no state, and in nothing that a command prints."""


def violations(world: World) -> Iterator[str]:
    """What is wrong with a world in which no update is going on, in words; nothing where all is well."""
    recorded = _recorded(world)
    live = _live(world)
    for kind in sorted({*recorded, *live}):
        wanted, found = sorted(recorded.get(kind, ())), sorted(live.get(kind, ()))
        if wanted != found:
            yield f"{kind}: state has {wanted}, Prism has {found}"
    yield from _vm_violations(world, recorded.get("ConfidentialVM", []))
    yield from _secret_violations(world)


def _recorded(world: World) -> dict[str, list[str]]:
    """The ids in state by kind, of the kinds that Prism lists."""
    found: dict[str, list[str]] = {"Asset": [], "Computation": [], "ConfidentialVM": []}
    for resource in world.deployment().get("resources", ()):
        kind = resource["type"].rpartition(":")[2].rpartition("/")[2]
        if kind in found:
            found[kind].append(resource["id"])
    return found


def _live(world: World) -> dict[str, list[str]]:
    """The ids at Prism by kind."""
    found: dict[str, list[str]] = {}
    client = world.backend.accounts.as_admin()
    for domain in client.domains.list():
        workspace = client.workspace(domain.id)
        for kind, ids in _ids(workspace).items():
            found.setdefault(kind, []).extend(ids)
    return found


def _ids(workspace: Workspace) -> Mapping[str, list[str]]:
    return {
        "Asset": [item.id for item in workspace.assets.list()],
        "Computation": [item.id for item in workspace.computations.list()],
        "ConfidentialVM": [item.id for item in workspace.cvms.list()],
    }


def _vm_violations(world: World, recorded: list[str]) -> Iterator[str]:
    vms = open_hypervisor(VmProvider.LOCAL, data=world.data).list()
    if sorted(vm.id for vm in vms) != sorted(recorded):
        yield f"VMs: state has {recorded}, the hypervisor has {[vm.id for vm in vms]}"
    agents, known = world.agents(), [vm.pid for vm in vms]
    if orphans := sorted(set(agents) - set(known)):
        yield f"VMs: the processes {orphans} are of none"
    if dead := sorted(set(known) - set(agents)):
        yield f"VMs: the processes {dead} have ended"


def _secret_violations(world: World) -> Iterator[str]:
    secrets = [*_NEVER, (world.data / "passphrase").read_text("utf-8"), _password(world)]
    places = {**world.store.written, **{f"output {n}": t.encode() for n, t in enumerate(world.said)}}
    for place, content in places.items():
        for secret in secrets:
            if secret.encode() in content:
                shown = secret if secret in _NEVER else "a password"
                yield f"{place.partition(' ')[0]} has {shown} in clear"


def _password(world: World) -> str:
    document: Mapping[str, Any] = json.loads((world.data / "backend" / "admin.json").read_bytes())
    return str(document["password"])
