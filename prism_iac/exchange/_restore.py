"""Brings an archive back into an empty workspace.

Ids are new there, and users are found by their email address. VMs are not made again, so their policies and
certificates stay in the archive for people to read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from prism_iac.errors import Conflict
from prism_iac.exchange._access import Access, Members
from prism_iac.exchange._archive import ArchiveReader
from prism_iac.exchange._definition import Definition, RoleDefinition, portable
from prism_iac.exchange._export import export_definitions
from prism_iac.exchange._import import Import, without_pair
from prism_iac.exchange._parts import KeyPart, WorkspaceRolePart, parts_of
from prism_iac.exchange._roles import roles_as_imported
from prism_iac.exchange._row import Row, parse_row
from prism_iac.model import path_text

if TYPE_CHECKING:
    from prism_iac.exchange._definition import AssetDefinition
    from prism_iac.prism import Roles

__all__ = ["Restored", "restore"]


class Workplace(Access, Protocol):
    """A workspace that users can be brought to."""

    def find_user(self, email: str) -> str | None:
        """The id of a user by email address, with an account made where that can be done; None elsewhere."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back.

    Attributes:
        left_out: A sentence for everything that was not.
    """

    computations: int
    assets: int
    members: int
    keys: int
    left_out: tuple[str, ...]


def restore(
    archive: ArchiveReader,
    workplace: Workplace,
    workspace_roles: Roles,
    *,
    without_certificates: bool = False,
) -> Restored:
    """Bring a workspace back, and hold an export of it against the archive.

    Args:
        archive: Verified by being opened.
        workplace: An empty workspace.
        workspace_roles: The roles of workspaces.
        without_certificates: Make agents whose private key is not in the archive without TLS files.

    Raises:
        Conflict: The workspace is not empty.
        InvalidInput: A computation cannot be brought back as it is.
    """
    parts = parts_of(archive)
    _require_empty(workplace)
    left_out: list[str] = []
    users: dict[str, str] = {}
    for member in parts.members:
        found = workplace.find_user(member.email)
        if found is None:
            left_out.append(f"member {member.email}: there is no such user, let them register first")
        else:
            users[member.id] = found
    _bring_roles(parts.roles, users, workplace.workspace.id, workspace_roles)

    def rows() -> Iterator[Row]:
        for index, element in enumerate(parts.computations):
            yield _moved_row(index, element, users)

    job = Import(workplace, without_certificates=without_certificates)
    job.review(rows()).errors.require_none()
    outcome = job.perform(rows())
    outcome.refused.require_none()
    outcome.new_assets += job.bring_assets([_moved_asset(asset, users) for asset in parts.assets])
    keys = _bring_keys(parts.keys, workplace, users, left_out)
    left_out += _differences([row.definition for row in rows() if row.definition], workplace)
    return Restored(outcome.made + outcome.resumed, outcome.new_assets, len(users), keys, tuple(left_out))


def _require_empty(workplace: Workplace) -> None:
    workspace = workplace.workspace
    for what, records in (
        ("computations", workspace.computations.list()),
        ("assets", workspace.assets.list()),
    ):
        if next(iter(records), None) is not None:
            raise Conflict(
                f"the workspace has {what}", next_step="Restore into an empty one: name it with --workspace."
            )


def _bring_roles(
    wanted: list[WorkspaceRolePart], users: Mapping[str, str], domain_id: str, workspace_roles: Roles
) -> None:
    """Give members the roles that they had; who holds one here already keeps it (D51)."""
    there = {role.name: role for role in workspace_roles.list(domain_id)}
    held = {member for role in there.values() for member in role.members}
    for role in wanted:
        members = [user for member in role.members if (user := users.get(member)) and user not in held]
        known = there.get(role.role_name)
        if known is None:
            workspace_roles.create(domain_id, name=role.role_name, actions=role.actions, members=members)
            continue
        if more := sorted(set(role.actions) - set(known.actions)):
            workspace_roles.add_actions(domain_id, known.id, more)
        if members:
            workspace_roles.add_members(domain_id, known.id, members)


def _differences(wanted: list[Definition], workplace: Workplace) -> Iterator[str]:
    """What an export of the workspace says otherwise than the archive."""
    members = Members(workplace.members())
    there = {found.name: portable(found) for found in export_definitions(workplace.workspace)}
    for definition in wanted:
        expected = Definition.of(
            name=definition.name,
            description=definition.description,
            agent=without_pair(definition.agent),
            roles=roles_as_imported(definition.roles, members.find, workplace.user_id),
            assets=definition.assets,
        )
        if there.get(definition.name) != portable(expected):
            yield f"{definition.name}: is not all as it was; compare it with an export"


def _moved_row(index: int, element: Any, users: Mapping[str, str]) -> Row:
    row = parse_row(
        index + 1,
        element,
        file="",
        where=lambda _location, at_name: (0, 0),  # noqa: ARG005  # the shape of Where
        path_of=lambda location: path_text(("computations", index, *location)),
    )
    return replace(row, definition=_moved(row.definition, users) if row.definition else None)


def _moved(definition: Definition, users: Mapping[str, str]) -> Definition:
    """The same with the users of this Prism."""
    return Definition.of(
        name=definition.name,
        description=definition.description,
        agent=definition.agent,
        roles=[
            RoleDefinition(
                role.name, role.actions, tuple(sorted(users.get(user, user) for user in role.members))
            )
            for role in definition.roles
        ],
        assets=[_moved_asset(asset, users) for asset in definition.assets],
    )


def _moved_asset(asset: AssetDefinition, users: Mapping[str, str]) -> AssetDefinition:
    return replace(asset, user=users.get(asset.user, asset.user))


def _bring_keys(
    keys: list[KeyPart], workplace: Workplace, users: Mapping[str, str], left_out: list[str]
) -> int:
    ids = {record.name: record.id for record in workplace.workspace.computations.list()}
    count = 0
    for key in keys:
        user = users.get(key.user)
        acting = workplace.acting_for(user) if user else None
        if acting is None or key.computation not in ids:
            left_out.append(f"{key.computation}: the public key of {key.user}, for they register it")
            continue
        acting.computations.upload_key(ids[key.computation], _pem(key.public_key))
        count += 1
    return count


def _pem(key: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    public = load_der_public_key(base64.b64decode(key))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
