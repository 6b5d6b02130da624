"""What holds after every kill and the update that follows it: as many live objects as state tells of, no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from prism_iac.hypervisor import open_hypervisor
from prism_iac.model import ComputationStatus, VmProvider
from prism_iac.prism import Workspace
from prism_iac.testing.faults._world import World

__all__ = ["violations"]

_NEVER: Final = ("PRIVATE KEY",)
"""What is in no state, and in nothing that a command prints."""


def violations(world: World) -> Iterator[str]:
    """What is wrong with a world in which no update is going on, in words; nothing where all is well."""
    recorded = {kind: [item["id"] for item in _of_kind(world, kind)] for kind in _IDS}
    live: dict[str, list[str]] = {kind: [] for kind in _IDS}
    client = world.backend.accounts.as_admin()
    for domain in client.domains.list():
        workspace = client.workspace(domain.id)
        for kind, ids in _IDS.items():
            live[kind] += ids(workspace)
        yield from _certificate_violations(world, workspace)
    for kind in _IDS:
        if sorted(recorded[kind]) != sorted(live[kind]):
            yield f"{kind}: state has {sorted(recorded[kind])}, Prism has {sorted(live[kind])}"
    yield from _vm_violations(world, recorded["ConfidentialVM"])
    yield from _secret_violations(world)


_IDS: Final[Mapping[str, Callable[[Workspace], list[str]]]] = {
    "Asset": lambda workspace: [item.id for item in workspace.assets.list()],
    "Computation": lambda workspace: [item.id for item in workspace.computations.list()],
    "ComputationRun": lambda workspace: [
        item.id for item in workspace.computations.runs() if item.status is ComputationStatus.RUNNING
    ],
    "ConfidentialVM": lambda workspace: [item.id for item in workspace.cvms.list()],
}
"""The ids of what lives at Prism by kind; a run that has ended is history."""


def _of_kind(world: World, kind: str) -> Iterator[Mapping[str, Any]]:
    return (item for item in world.resources() if _kind(item) == kind)


def _kind(resource: Mapping[str, Any]) -> str:
    return str(resource["type"]).rpartition(":")[2].rpartition("/")[2]


def _certificate_violations(world: World, workspace: Workspace) -> Iterator[str]:
    """Of each VM there is the certificate that it was born with, and those of bundles."""
    bundles = [item["outputs"] for item in _of_kind(world, "CertificateBundle")]
    known = {
        serial
        for outputs in bundles
        for serial in (
            outputs.get("server_serial"),
            outputs.get("client_serial"),
            *(outputs.get("old_serials") or ()),
        )
    }
    for vm in workspace.cvms.list():
        valid = {item.serial_number for item in workspace.certificates.list(cvm_id=vm.id) if not item.revoked}
        if len(valid - known) != 1:
            yield f"VM {vm.id}: {len(valid - known)} certificates are in no bundle, not one: {sorted(valid)}"


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
