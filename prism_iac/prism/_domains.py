"""Workspaces, called domains on the wire (prism-rest.md section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prism_iac.errors import Conflict
from prism_iac.prism._roles import Roles
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import DomainRecord, UserRecord

__all__ = ["Domains"]


@dataclass(frozen=True, slots=True)
class Domains:
    """The workspaces that this user belongs to."""

    routes: Routes

    @property
    def roles(self) -> Roles:
        """The roles of a workspace; its id comes first in every call (D53)."""
        return Roles(self.routes)

    def create(self, *, name: str, alias: str | None = None) -> DomainRecord:
        """Make a workspace; the user becomes its administrator (W1).

        Args:
            name: For people.
            alias: A short name; Prism makes one from the name when it is left out.

        Raises:
            AlreadyExists: The alias is taken.
        """
        body = {"name": name} | ({} if alias is None else {"alias": alias})
        return self.routes.api.fetch(self.routes.call("POST", body=body).creating(), DomainRecord.parse)

    def list(self) -> Iterator[DomainRecord]:
        """The workspaces that this user belongs to."""
        return self.routes.pages("domains", DomainRecord.parse, identity=lambda domain: domain.id)

    def get(self, domain_id: str) -> DomainRecord:
        """A workspace by id.

        Raises:
            NotFound: There is none that this user belongs to.
        """
        return self.routes.get(DomainRecord.parse, domain_id)

    def find(self, name: str) -> DomainRecord | None:
        """A workspace by id, alias or name, in this order; None when there is none.

        Raises:
            Conflict: The name stands for several workspaces.
        """
        domains = list(self.list())
        for matches in (
            [domain for domain in domains if domain.id == name],
            [domain for domain in domains if domain.alias == name],
            [domain for domain in domains if domain.name == name],
        ):
            if len(matches) > 1:
                raise Conflict(
                    f'{len(matches)} workspaces are called "{name}"', next_step="Name the alias or the id."
                )
            if matches:
                return matches[0]
        return None

    def update(self, domain_id: str, *, name: str | None = None, alias: str | None = None) -> None:
        """Change the name or the alias; what is None stays."""
        body = {key: value for key, value in (("name", name), ("alias", alias)) if value is not None}
        self.routes.api.send(self.routes.call("PATCH", domain_id, body=body).harmless_twice())

    def enable(self, domain_id: str) -> None:
        """Let members in again."""
        self.routes.api.send(self.routes.call("POST", domain_id, "enable").harmless_twice())

    def disable(self, domain_id: str) -> None:
        """Keep members out."""
        self.routes.api.send(self.routes.call("POST", domain_id, "disable").harmless_twice())

    def members(self, domain_id: str) -> Iterator[UserRecord]:
        """The users who belong to a workspace; who holds one of its roles does."""
        return self.routes.pages("users", UserRecord.parse, domain_id, "users", identity=lambda user: user.id)
