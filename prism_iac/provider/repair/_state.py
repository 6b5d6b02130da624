"""The state of a stack and what is rewritten in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prism_iac._engine import PROVIDER_TYPES
from prism_iac.provider.repair._recorded import kind_of, name_of

__all__ = ["Operation", "Pending", "StackState"]


class Operation(StrEnum):
    """What the engine was doing, in its own words."""

    CREATE = "creating"
    UPDATE = "updating"
    DELETE = "deleting"
    READ = "reading"
    IMPORT = "importing"


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation of which the state does not know how it ended.

    Attributes:
        operation: What the engine was doing.
        resource: As it would have been after a create or an update, as it was before a delete.
    """

    operation: Operation
    resource: Mapping[str, Any]

    @property
    def urn(self) -> str:
        """That of the resource."""
        return str(self.resource["urn"])

    @property
    def name(self) -> str:
        """The logical name."""
        return name_of(self.resource)

    @property
    def kind(self) -> str | None:
        """The kind of ours; None for every other resource."""
        return kind_of(self.resource)

    @property
    def is_of_engine(self) -> bool:
        """Whether it stands for nothing outside the state: a provider, a component or the stack."""
        return not self.resource.get("custom") or str(self.resource["type"]).startswith(PROVIDER_TYPES)


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack's state as `pulumi stack export --show-secrets` gives it; each change is another value."""

    document: Mapping[str, Any]

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The resources, each after those that it depends on."""
        return list(self._deployment.get("resources") or [])

    @property
    def pending(self) -> tuple[Pending, ...]:
        """The operations that were cut off."""
        return tuple(
            Pending(Operation(item["type"]), item["resource"])
            for item in self._deployment.get("pending_operations") or []
        )

    def current(self, urn: str) -> dict[str, Any] | None:
        """The resource that lives under a URN; neither one that waits to be deleted nor one that was."""
        return next(
            (
                item
                for item in self.resources
                if item["urn"] == urn and not item.get("delete") and not item.get("pendingReplacement")
            ),
            None,
        )

    def entry(self, urn: str, object_id: str) -> dict[str, Any] | None:
        """The resource with a URN and an id, whatever is to become of it."""
        return next(
            (item for item in self.resources if item["urn"] == urn and item.get("id") == object_id), None
        )

    def settled(self, pending: Pending) -> StackState:
        """Without an operation."""
        left = [
            item
            for item in self._deployment.get("pending_operations") or []
            if (item["type"], item["resource"]) != (pending.operation, pending.resource)
        ]
        return self._with(pending_operations=left)

    def with_made(self, made: Mapping[str, Any]) -> StackState:
        """With a resource that a create made; one that it replaces waits to be deleted, or is gone already."""
        urn, resources = made["urn"], self.resources
        for place, item in enumerate(resources):
            if item["urn"] == urn and not item.get("delete"):
                old = [] if item.get("pendingReplacement") else [{**item, "delete": True}]
                return self._with(resources=[*resources[:place], dict(made), *resources[place + 1 :], *old])
        return self._with(resources=[*resources, dict(made)])

    def with_changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> StackState:
        """With another content of one resource."""
        return self._with(resources=[dict(after) if item == before else item for item in self.resources])

    def without(self, gone: Mapping[str, Any]) -> StackState:
        """Without a resource whose object is gone, and without mentions of it, as after a refresh."""
        left = [item for item in self.resources if item != gone]
        if all(item["urn"] != gone["urn"] for item in left):
            left = [_forgetting(item, gone) for item in left]
        return self._with(resources=left)

    @property
    def _deployment(self) -> Mapping[str, Any]:
        deployment: Mapping[str, Any] = self.document["deployment"]
        return deployment

    def _with(self, **parts: Any) -> StackState:
        return StackState({**self.document, "deployment": {**self._deployment, **parts}})


def _forgetting(resource: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    urn = gone["urn"]
    kept = {name: value for name, value in resource.items() if name != "deletedWith" or value != urn}
    if kept.get("parent") == urn:
        kept["parent"] = gone.get("parent")
    if "dependencies" in kept:
        kept["dependencies"] = [item for item in kept["dependencies"] if item != urn]
    if "propertyDependencies" in kept:
        kept["propertyDependencies"] = {
            name: [item for item in urns or [] if item != urn]
            for name, urns in kept["propertyDependencies"].items()
        }
    return kept
