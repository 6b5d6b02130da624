"""Roles of a computation or of a workspace.

Prism documents no route for them; these are those of the service that Prism's roles come from
(prism-rest.md section 2.9, D53), unverified against the hosted Prism and therefore kept in this one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prism_iac.prism._created import id_of_created
from prism_iac.prism._errors import NotFound
from prism_iac.prism._fields import Fields
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import RoleRecord, parse_member_id

__all__ = ["Roles"]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of the entities below one route: every call names the entity first."""

    routes: Routes

    def create(
        self, entity_id: str, *, name: str, actions: Iterable[str] = (), members: Iterable[str] = ()
    ) -> str:
        """Make a role.

        Args:
            entity_id: The computation or workspace.
            name: At most 200 characters.
            actions: What it allows.
            members: The ids of the users who get it; each holds one role per entity (D51).

        Returns:
            The id of the role.

        Raises:
            AlreadyExists: The name is taken, or a user holds another role.
        """
        body = {"role_name": name, "optional_actions": list(actions), "optional_members": list(members)}
        call = self.routes.call("POST", entity_id, "roles", body=body).creating()
        return id_of_created(self.routes.api.send(call), lambda: self.find(entity_id, name))

    def list(self, entity_id: str) -> Iterator[RoleRecord]:
        """The roles of an entity."""
        return self.routes.pages("roles", RoleRecord.parse, entity_id, "roles", identity=lambda role: role.id)

    def get(self, entity_id: str, role_id: str) -> RoleRecord:
        """One role.

        Raises:
            NotFound: There is none.
        """
        return self.routes.get(RoleRecord.parse, entity_id, "roles", role_id)

    def find(self, entity_id: str, name: str) -> str | None:
        """The id of the role of a name; None when there is none."""
        return next((role.id for role in self.list(entity_id) if role.name == name), None)

    def rename(self, entity_id: str, role_id: str, *, name: str) -> None:
        """Give a role another name."""
        self.routes.api.send(self.routes.call("PUT", entity_id, "roles", role_id, body={"name": name}))

    def delete(self, entity_id: str, role_id: str) -> None:
        """Remove a role and its members' access; one that is gone already is fine."""
        with suppress(NotFound):
            self.routes.api.send(self.routes.call("DELETE", entity_id, "roles", role_id))

    def actions(self, entity_id: str, role_id: str) -> tuple[str, ...]:
        """What a role allows."""
        return self.routes.get(
            lambda document: Fields(document, "a list of actions").texts("actions"),
            entity_id,
            "roles",
            role_id,
            "actions",
        )

    def add_actions(self, entity_id: str, role_id: str, actions: Iterable[str]) -> None:
        """Let a role allow more."""
        self._change(entity_id, role_id, "actions", body={"actions": list(actions)})

    def remove_actions(self, entity_id: str, role_id: str, actions: Iterable[str]) -> None:
        """Let a role allow less.

        Raises:
            ApiConflict: Nobody would be left who may administrate the entity (D50).
        """
        self._change(entity_id, role_id, "actions", "delete", body={"actions": list(actions)})

    def remove_all_actions(self, entity_id: str, role_id: str) -> None:
        """Let a role allow nothing."""
        self._change(entity_id, role_id, "actions", "delete-all")

    def members(self, entity_id: str, role_id: str) -> Iterator[str]:
        """The ids of the users who hold a role."""
        return self.routes.pages("members", parse_member_id, entity_id, "roles", role_id, "members")

    def add_members(self, entity_id: str, role_id: str, members: Iterable[str]) -> None:
        """Give a role to users.

        Raises:
            ApiConflict: One of them holds another role of the entity (D51).
        """
        self._change(entity_id, role_id, "members", body={"members": list(members)})

    def remove_members(self, entity_id: str, role_id: str, members: Iterable[str]) -> None:
        """Take a role from users."""
        self._change(entity_id, role_id, "members", "delete", body={"members": list(members)})

    def remove_all_members(self, entity_id: str, role_id: str) -> None:
        """Take a role from everybody."""
        self._change(entity_id, role_id, "members", "delete-all")

    def available_actions(self) -> tuple[str, ...]:
        """What roles of this kind of entity can allow."""
        return self.routes.get(
            lambda document: Fields(document, "a list of actions").texts("available_actions"),
            "roles",
            "available-actions",
        )

    def _change(self, entity_id: str, role_id: str, *route: str, body: Any = None) -> None:
        self.routes.api.send(self.routes.call("POST", entity_id, "roles", role_id, *route, body=body))
