"""How the resources of a preview belong together: who takes part in what, and what uses what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from prism_iac.plan._preview import Preview, Resource, plain

__all__ = ["Graph", "said"]

_ASSETS: Final = ("algorithm", "datasets")


@dataclass(frozen=True)
class Graph:
    """The resources of one preview."""

    preview: Preview

    def users_of(self, resource: Resource, kind: str, *fields: str) -> Iterator[Resource]:
        """The resources of a kind that have another one in one of some fields."""
        return (
            user
            for user in self._users.get(resource.urn, ())
            if user.kind == kind and any(resource.urn in user.uses.get(field, ()) for field in fields)
        )

    def used_by(self, resource: Resource, *fields: str) -> Iterator[Resource]:
        """The resources that some fields of another one come from."""
        urns = (urn for field in fields for urn in resource.uses.get(field, ()))
        return (self.preview.resources[urn] for urn in urns if urn in self.preview.resources)

    def assets_of(self, computation: Resource) -> Iterator[Resource]:
        """The assets of a computation, the algorithm first."""
        return self.used_by(computation, *_ASSETS)

    def computations_with(self, asset: Resource) -> Iterator[Resource]:
        """The computations that have an asset."""
        return self.users_of(asset, "Computation", *_ASSETS)

    def providers_of(self, computation: Resource) -> tuple[str, ...]:
        """The users who bring its assets, each once."""
        return _each(
            provider for asset in self.assets_of(computation) if (provider := said(asset, "provider"))
        )

    def uploaders_of(self, computation: Resource) -> tuple[str, ...]:
        """The users who bring those of its assets that no agent fetches, each once."""
        return _each(
            said(asset, "provider") for asset in self.assets_of(computation) if not said(asset, "source")
        )

    def participants_of(self, computation: Resource) -> tuple[str, ...]:
        """Everyone who brings something to a computation or reads its result, each once."""
        return _each([*self.providers_of(computation), *(said(computation, "result_consumers") or ())])

    def name_of(self, urn: str) -> str:
        """The name of a resource."""
        return urn.rpartition("::")[2]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of the live objects, by id."""
        return {item.id: item.name for item in self.preview.resources.values() if item.id}

    @cached_property
    def _users(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for item in self.preview.resources.values():
            for urn in dict.fromkeys(urn for urns in item.uses.values() for urn in urns):
                found.setdefault(urn, []).append(item)
        return found


def said(resource: Resource, field: str) -> Any:
    """The value of a field as it will be; as it is where the resource goes."""
    bag = resource.old if resource.new is None else resource.new
    return plain((bag or {}).get(field))


def _each(users: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(user for user in users if isinstance(user, str)))
