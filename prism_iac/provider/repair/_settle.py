"""Finds out how operations ended that were cut off, and lets the state say it.

1. A *create* is looked for by its identity: what it made comes into the state, as a refresh would read it. What is
   there and not whole comes with a note that lets the next update go on with it.
2. An *update* is settled by reading: the state takes what is there, and the next update does the rest.
3. A *delete* is settled by reading: what is gone leaves the state, what is still there stays in it.
4. A *read* or an *import* changes nothing at a peer and is taken again.

An operation whose peer does not answer is left as it is. No object is changed but what a delete left beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prism_iac.errors import Conflict, InvalidInput, PartialResult, PrismError
from prism_iac.provider._service import Actual, Service
from prism_iac.provider.repair._recorded import plain, with_state
from prism_iac.provider.repair._services import Services
from prism_iac.provider.repair._state import Operation, Pending, StackState

__all__ = ["Decision", "Outcome", "apply", "decide", "finished"]


class Outcome(StrEnum):
    """What becomes of an operation."""

    RECORDED = "recorded"
    """What it made, or changed, comes into the state."""

    REMOVED = "removed"
    """What it deleted leaves the state."""

    DROPPED = "dropped"
    """The state is right without it."""

    LEFT = "left"
    """Nobody can tell now; it stays in the state."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one operation, and why.

    Attributes:
        before: The resource in the state that is changed or leaves it.
        after: The resource as the state is to hold it.
    """

    pending: Pending
    outcome: Outcome
    reason: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """An object as it is, and why it is not whole."""

    actual: Actual
    unfinished: str | None = None

    @property
    def left(self) -> str:
        """What a reason says besides."""
        return f"; {self.unfinished}, and the next update goes on" if self.unfinished else ""


def decide(state: StackState, services: Services) -> Iterator[Decision]:
    """What becomes of each operation; nothing is changed anywhere."""
    for pending in state.pending:
        if pending.is_of_engine:
            yield Decision(pending, Outcome.DROPPED, "it concerns the engine alone, which does it again")
        elif pending.kind is None:
            yield Decision(pending, Outcome.LEFT, "it is of another provider: see `pulumi refresh`")
        else:
            yield _decided(pending, state, services)


def apply(state: StackState, decisions: Iterator[Decision] | tuple[Decision, ...]) -> StackState:
    """The state without the operations that are decided."""
    for decision in decisions:
        if decision.outcome is Outcome.LEFT:
            continue
        state = state.settled(decision.pending)
        if decision.outcome is Outcome.REMOVED and decision.before is not None:
            state = state.without(decision.before)
        elif decision.after is not None and decision.before is not None:
            state = state.with_changed(decision.before, decision.after)
        elif decision.after is not None:
            state = state.with_made(decision.after)
    return state


def finished(decision: Decision, services: Services) -> Decision:
    """The decision, after what a delete left beside its object is taken away, such as the process of a VM.

    What cannot be taken away now leaves the operation in the state.
    """
    known = decision.before
    if decision.outcome is not Outcome.REMOVED or decision.pending.operation is not Operation.DELETE:
        return decision
    assert known is not None, "what is removed was in the state"
    try:
        services.of(known).delete(decision.pending.name, str(known["id"]), plain(known, "outputs"))
    except PrismError as error:
        return Decision(decision.pending, Outcome.LEFT, f"it cannot be finished now: {error.message}")
    return decision


def _decided(pending: Pending, state: StackState, services: Services) -> Decision:
    try:
        service = services.of(pending.resource)
        match pending.operation:
            case Operation.CREATE:
                return _of_create(pending, state, service)
            case Operation.UPDATE:
                return _of_update(pending, state, service)
            case Operation.DELETE:
                return _of_delete(pending, state, service)
            case Operation.READ | Operation.IMPORT:
                return _of_look(pending, service)
    except PrismError as error:
        return Decision(pending, Outcome.LEFT, f"nobody can tell now: {error.message}")


def _of_create(pending: Pending, state: StackState, service: Service) -> Decision:
    inputs = plain(pending.resource, "inputs")
    known = state.current(pending.urn)
    if known is not None and plain(known, "inputs").get("identity") == inputs["identity"]:
        return Decision(pending, Outcome.DROPPED, "the state has it already, from an update since")
    if (why := service.handler.made_again) is not None:
        return Decision(pending, Outcome.DROPPED, f"the next update creates it again: {why}")
    found = _find(pending.name, inputs, service)
    if found is None:
        return Decision(pending, Outcome.DROPPED, "it was not made: nothing carries its mark")
    return Decision(
        pending,
        Outcome.RECORDED,
        f"{found.actual.id} was made and carries its mark{found.left}",
        after=_recorded(pending.resource, found),
    )


def _of_update(pending: Pending, state: StackState, service: Service) -> Decision:
    known = state.current(pending.urn)
    if known is None:
        return Decision(pending, Outcome.DROPPED, "the state has no such resource")
    actual = _read(pending, known, service)
    found = _Found(actual) if actual else _find(pending.name, plain(known, "inputs"), service)
    if found is None:
        return Decision(pending, Outcome.REMOVED, "it is gone; the next update makes it again", before=known)
    wanted, there = plain(pending.resource, "inputs"), found.actual.inputs
    left = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    reason = f"the next update does what is left: {', '.join(left)}" if left else f"it was done{found.left}"
    return Decision(pending, Outcome.RECORDED, reason, before=known, after=_recorded(known, found))


def _of_delete(pending: Pending, state: StackState, service: Service) -> Decision:
    known = state.entry(pending.urn, str(pending.resource.get("id", "")))
    if known is None:
        return Decision(pending, Outcome.DROPPED, "the state has no such resource any more")
    if _read(pending, known, service) is not None:
        return Decision(pending, Outcome.DROPPED, f"{known['id']} is still there; the next update deletes it")
    return Decision(pending, Outcome.REMOVED, f"{known['id']} is gone", before=known)


def _of_look(pending: Pending, service: Service) -> Decision:
    # An import that is planned for the first time has its id elsewhere.
    object_id = str(pending.resource.get("id") or pending.resource.get("importID") or pending.name)
    verb = "read" if pending.operation is Operation.READ else "import"
    try:
        found = service.recall(pending.name, object_id, "")
        what = "is there" if found else "is not there"
    except (Conflict, InvalidInput):
        what = "cannot be looked up by its id"
    return Decision(
        pending, Outcome.DROPPED, f"{object_id} {what}, and a {verb} changes nothing: {verb} it again"
    )


def _read(pending: Pending, known: Mapping[str, Any], service: Service) -> Actual | None:
    return service.read(pending.name, str(known["id"]), plain(known, "outputs"), plain(known, "inputs"))


def _find(name: str, inputs: Mapping[str, Any], service: Service) -> _Found | None:
    try:
        actual = service.find(name, inputs)
    except PartialResult as error:
        parsed = service.handler.model.parse(error.state)
        return _Found(Actual(error.id, parsed.properties(), parsed.inputs()), error.message)
    return _Found(actual) if actual else None


def _recorded(resource: Mapping[str, Any], found: _Found) -> dict[str, Any]:
    return with_state(
        resource,
        object_id=found.actual.id,
        inputs=found.actual.inputs,
        outputs=found.actual.properties,
        unfinished=found.unfinished,
    )
