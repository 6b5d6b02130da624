"""What both faces do with one kind of resource within one deployment, in plain values.

Property bags have the names of the model; a value that is not known yet is `UNKNOWN`. Errors are those of
`prism_iac.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prism_iac.errors import Conflict, PrismError
from prism_iac.lifecycle import HANDLERS, Context, Difference, Handler, Live, check, diff
from prism_iac.provider._deployment import Deployment

__all__ = ["Actual", "Service"]


@dataclass(frozen=True, slots=True)
class Actual:
    """A live object as the engine keeps it: its id, its properties, and the inputs that lead to them."""

    id: str
    properties: dict[str, Any]
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """Serves the calls of the engine for one kind."""

    handler: Handler[Any]
    deployment: Deployment

    @classmethod
    def of(cls, kind: str, deployment: Deployment) -> Service:
        """The service of a kind."""
        return cls(HANDLERS[kind], deployment)

    def check(self, name: str, wanted: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical inputs.

        Args:
            name: The logical name.
            wanted: The inputs of the program; `identity` is the part that comes from the URN.
            recorded: The inputs in state; empty for a new object.

        Raises:
            InvalidInput: With every finding.
        """
        identity = self.deployment.generations.identity(wanted["identity"], recorded)
        return check(self.handler, wanted, self._context(name, identity), recorded=recorded)

    def diff(
        self,
        name: str,
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        recorded: Mapping[str, Any] | None = None,
    ) -> tuple[Difference, bool]:
        """What an update does, and whether inputs alone tell of it; a reason that they do not tell is reported.

        Args:
            name: The logical name.
            state: The properties in state.
            inputs: The checked inputs.
            recorded: The inputs in state, where the engine hands them over.
        """
        self.deployment.generations.note(state["identity"])
        context = self._context(name, state["identity"])
        difference = diff(self.handler, state, inputs, context)
        left = _left_undone(difference, inputs, recorded or {})
        if reason := difference.due or left:
            context.report(reason)
        return difference, left is None and difference.due is None

    def create(self, name: str, inputs: Mapping[str, Any]) -> Actual:
        """Make the object."""
        identity = inputs["identity"]
        self.deployment.begin_change()
        if self.handler.keeps_deleted:
            identity = self.deployment.generations.unused(identity)
        desired = self.handler.model.parse({**inputs, "identity": identity})
        live = self.handler.create(desired, self._context(name, identity))
        self.deployment.made.add(live.id)
        return _actual(live)

    def read(
        self, name: str, object_id: str, state: Mapping[str, Any], recorded: Mapping[str, Any]
    ) -> Actual | None:
        """The actual state and the inputs that would lead to it; None when the object is gone."""
        live = self.handler.read(self._live(object_id, state), self._context(name, state["identity"]))
        if live is None:
            return None
        actual = _actual(live)
        if kept := recorded.get("identity"):
            # That of the outputs is a later one after a replacement that a user asked for; no drift.
            actual.inputs["identity"] = kept
        return actual

    def find(self, name: str, inputs: Mapping[str, Any]) -> Actual | None:
        """What a create with these inputs made before its answer was lost; None when it made nothing.

        Raises:
            PartialResult: It is there and not whole.
        """
        desired = self.handler.model.parse(inputs)
        live = self.handler.find(desired, self._context(name, desired.identity))
        return None if live is None else _actual(live)

    def recall(self, name: str, object_id: str, identity: str) -> Actual | None:
        """An object of which nothing is known but its id, to be taken over; None when there is none."""
        live = self.handler.recall(object_id, self._context(name, identity))
        return None if live is None else _actual(live)

    def take_over(self, name: str, object_id: str, identity: str) -> Actual:
        """An object of which nothing is known but its id.

        Raises:
            Conflict: There is none; where the id is that of another kind, it is named.
        """
        found = self.recall(name, object_id, identity)
        if found is None:
            context = self._context(name, identity)
            others = [other.model.kind for other in HANDLERS.values() if _finds(other, object_id, context)]
            raise Conflict(
                f"there is no {self.handler.model.kind} with this id"
                + "".join(f"; its kind is {kind}" for kind in others),
                where=object_id,
                next_step="Check the id, its kind and its workspace: <id>, or <workspace>/<id>.",
            )
        return found

    def update(
        self, name: str, object_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Actual:
        """Bring the object to the desired state in place."""
        self.deployment.begin_change()
        desired = self.handler.model.parse(inputs)
        live = self.handler.update(
            self._live(object_id, state), desired, self._context(name, inputs["identity"])
        )
        return _actual(live)

    def delete(self, name: str, object_id: str, state: Mapping[str, Any]) -> None:
        """Remove the object."""
        if object_id in self.deployment.made:
            # A forced replacement took the object over; its old half must not remove it.
            return
        self.deployment.begin_change()
        self.handler.delete(self._live(object_id, state), self._context(name, state["identity"]))
        self.deployment.generations.retire(state["identity"])

    def _live(self, object_id: str, state: Mapping[str, Any]) -> Live[Any]:
        return Live(object_id, self.handler.model.parse(state))

    def _context(self, name: str, identity: str) -> Context:
        return self.deployment.context(name, identity)


def _finds(handler: Handler[Any], object_id: str, context: Context) -> bool:
    try:
        return handler.recall(object_id, context) is not None
    except PrismError:
        return False


def _actual(live: Live[Any]) -> Actual:
    return Actual(live.id, live.state.properties(), live.state.inputs())


def _left_undone(
    difference: Difference, inputs: Mapping[str, Any], recorded: Mapping[str, Any]
) -> str | None:
    """What the last update left undone, as the plan shows it: the engine sees no change of inputs there."""
    changed = difference.changed
    if not recorded or not changed or any(recorded.get(name) != inputs.get(name) for name in changed):
        return None
    return f"{', '.join(changed)} left to update: the last update could not"
