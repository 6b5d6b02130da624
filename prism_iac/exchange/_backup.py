"""Writes a whole workspace into one archive.

In it: the workspace, its members and roles, computations as bundles, assets with their samples, the public
keys of participants as far as manifests tell whose they are, the attestation policies of VMs, and
certificates without their private keys. Agents' private keys come along only where they are asked for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prism_iac.exchange._archive import ArchiveWriter
from prism_iac.exchange._bundle import asset_json, bundle_json
from prism_iac.exchange._export import asset_definition, export_definitions
from prism_iac.model import Action
from prism_iac.prism import ApiConflict, NotFound, PermissionDenied, Rejected, Unauthenticated

if TYPE_CHECKING:
    from prism_iac.exchange._definition import Definition
    from prism_iac.prism import PrismClient, Workspace

__all__ = ["back_up"]


def back_up(
    client: PrismClient, domain_id: str, archive: ArchiveWriter, *, with_keys: bool = False
) -> list[str]:
    """Write what a workspace holds and this user may see.

    Args:
        client: A user with all rights in the workspace.
        domain_id: The workspace.
        archive: Where to.
        with_keys: Write the private keys of agents, too.

    Returns:
        A sentence for everything that is left out.
    """
    left_out: list[str] = []
    workspace, domain = client.workspace(domain_id), client.domains.get(domain_id)
    archive.add_json("workspace.json", {"id": domain.id, "name": domain.name, "alias": domain.alias})
    archive.add_json(
        "members.json",
        [
            {
                "id": member.id,
                "email": member.email,
                "username": member.username,
                "first_name": member.first_name,
                "last_name": member.last_name,
            }
            for member in sorted(client.domains.members(domain_id), key=lambda member: member.id)
        ],
    )
    roles = client.domains.roles.list(domain_id)
    archive.add_json(
        "roles.json",
        [
            {"role_name": role.name, "actions": sorted(role.actions), "members": sorted(role.members)}
            for role in sorted(roles, key=lambda role: role.name)
        ],
    )
    definitions = export_definitions(workspace, report=left_out.append)
    archive.add_json(
        "computations.json", [bundle_json(definition, with_keys=with_keys) for definition in definitions]
    )
    assets = sorted(workspace.assets.list(), key=lambda asset: asset.id)
    archive.add_json(
        "assets.json",
        [asset_json(asset_definition(workspace.assets.get(asset.id), is_linked=False)) for asset in assets],
    )
    archive.add_json(
        "keys.json",
        [entry for definition in definitions for entry in _keys(definition, workspace, left_out)],
    )
    _add_vms(workspace, archive, left_out)
    return left_out


def _keys(definition: Definition, workspace: Workspace, left_out: list[str]) -> Iterator[dict[str, str]]:
    """The public keys of a computation's participants: its manifest has them, and says whose by order."""
    try:
        manifest = workspace.computations.manifest(definition.origin.id)
    except (NotFound, Rejected, PermissionDenied):
        # There is none before an algorithm is linked.
        return
    found: dict[str, str] = {}
    for asset in definition.linked:
        digest = list(bytes.fromhex(asset.checksum))
        for item in (manifest.get("algorithm") or {}, *(manifest.get("datasets") or ())):
            if item.get("hash") == digest and item.get("user_key"):
                found.setdefault(asset.user, item["user_key"])
    consumers = definition.users_with(Action.RESULT_CONSUMER)
    listed = [item.get("user_key", "") for item in manifest.get("result_consumers") or ()]
    if len(listed) == len(consumers):
        waiting = [user for user in consumers if user not in found]
        unclaimed = [key for key in listed if key and key not in found.values()]
        if len(waiting) == len(unclaimed) == 1:
            found[waiting[0]] = unclaimed[0]
        elif unclaimed:
            left_out.append(
                f"{definition.name}: the public keys of {len(unclaimed)} result consumers, for Prism does not "
                "say whose they are"
            )
    for user, key in sorted(found.items()):
        yield {"computation": definition.name, "user": user, "public_key": key}


def _add_vms(workspace: Workspace, archive: ArchiveWriter, left_out: list[str]) -> None:
    records: list[dict[str, Any]] = []
    for vm in sorted(workspace.cvms.list(), key=lambda vm: vm.id):
        records.append(
            {
                "id": vm.id,
                "name": vm.name,
                "provider": vm.provider,
                "cc_platform": vm.cc_platform,
                "vcpus": vm.vcpus,
                "agent_log_level": vm.agent_log_level,
            }
        )
        try:
            archive.add(f"policies/{vm.id}.json", workspace.cvms.attestation_policy(vm.id))
        except NotFound:
            left_out.append(f"{vm.name}: its attestation policy, for it has not connected")
    archive.add_json("cvms.json", records)
    certificates = []
    for certificate in workspace.certificates.list():
        pem = ""
        if not certificate.revoked:
            try:
                files = workspace.certificates.fetch(certificate.entity_id, certificate.serial_number)
                pem = files.certificate_pem
            except (NotFound, ApiConflict, PermissionDenied, Unauthenticated):
                left_out.append(
                    f"certificate {certificate.serial_number}: its text, for it cannot be fetched"
                )
        certificates.append(
            {
                "serial_number": certificate.serial_number,
                "cvm_id": certificate.entity_id,
                "revoked": certificate.revoked,
                "certificate": base64.b64encode(pem.encode()).decode("ascii"),
            }
        )
    archive.add_json("certificates.json", sorted(certificates, key=lambda entry: str(entry["serial_number"])))
