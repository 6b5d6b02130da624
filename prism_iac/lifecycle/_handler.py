"""What a handler of a resource kind is, and the two steps that are the same for every kind.

The contract is the engine's: check completes the inputs, diff says what a change does, create, read,
update and delete act. Handlers know models, not property bags, and nothing of the engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.lifecycle._context import Context
from prism_iac.model import Change
from prism_iac.model.resources import ResourceModel

__all__ = ["Difference", "Handler", "Live", "check", "diff", "whereabouts"]

M = TypeVar("M", bound=ResourceModel)


@dataclass(frozen=True, slots=True)
class Live(Generic[M]):
    """A live object: its id at the peer, and its inputs and outputs."""

    id: str
    state: M


class Handler(ABC, Generic[M]):
    """The life of one kind of resource.

    Every method is safe to repeat: a create that was cut off finds what it had made, a delete of what is
    gone succeeds. Methods raise the errors of `prism_iac.errors` only; a create or update that made
    something before it failed raises `PartialResult`.
    """

    model: type[M]
    replaces_by_deleting_first = False
    not_kept: ClassVar[str] = "Prism does not keep it"
    """Why an object cannot be found by its id."""
    keeps_deleted = False
    """Whether a create finds an object of its identity although it was deleted."""
    made_again: ClassVar[str | None] = None
    """Why what a create made is not looked for by `find`, but left to the next create; None where it is looked for."""

    def complete(self, desired: M, _context: Context) -> M:
        """Fill in the inputs that follow from others, without a call to a peer."""
        return desired

    def review(self, recorded: Mapping[str, Any], desired: M, context: Context) -> None:
        """Refuse a change of recorded inputs that a rule forbids, without a call to a peer.

        Raises:
            InvalidInput: With every finding.
        """

    def why_due(self, _state: M, _context: Context) -> str | None:
        """Why time alone asks for an update, as the plan shows it; None when it does not."""
        return None

    @abstractmethod
    def create(self, desired: M, context: Context) -> Live[M]:
        """Make the object, or find the one that an earlier create of the same identity made."""

    def find(self, _desired: M, _context: Context) -> Live[M] | None:
        """What an earlier create of the same identity made, as a read sees it; None when it made nothing. Makes nothing.

        Raises:
            PartialResult: It is there and not whole; an update goes on with it.
        """
        return None

    @abstractmethod
    def read(self, live: Live[M], context: Context) -> Live[M] | None:
        """The actual state; None when the object is gone. A peer that does not answer is an error."""

    def recall(self, object_id: str, _context: Context) -> Live[M] | None:
        """The live object of which nothing is known but its id, `<id>` or `<workspace>/<id>`; None when it is gone.

        What Prism does not keep, such as the path of a file, has its default.

        Raises:
            Conflict: Objects of this kind are not kept at Prism, or not whole.
        """
        raise Conflict(
            f"a {self.model.kind} cannot be taken over by its id: {self.not_kept}",
            where=object_id,
            next_step="Declare it without an import.",
        )

    @abstractmethod
    def update(self, live: Live[M], desired: M, context: Context) -> Live[M]:
        """Bring the object to the desired state in place."""

    @abstractmethod
    def delete(self, live: Live[M], context: Context) -> None:
        """Remove the object; one that is gone already is fine."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change of inputs does to the live object.

    Attributes:
        changed: The inputs that differ, by name.
        replaces: Those of them that ask for a new object.
        due: Why time alone asks for an update; None when it does not.
    """

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    due: str | None = None

    def __bool__(self) -> bool:
        return bool(self.changed or self.due)


def check(
    handler: Handler[M],
    properties: Mapping[str, Any],
    context: Context,
    *,
    recorded: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The canonical inputs of a resource, completed; unknown values stay unknown.

    Args:
        handler: That of its kind.
        properties: The inputs as people wrote them.
        context: The surroundings.
        recorded: The inputs in state; None for a create.

    Raises:
        InvalidInput: With every finding.
    """
    wanted = {name: value for name, value in properties.items() if value is not None}
    fields = handler.model.model_fields
    if "workspace" in fields and context.default_workspace is not None:
        wanted.setdefault("workspace", context.default_workspace)
    if "name" in fields and fields["name"].is_required():
        wanted.setdefault("name", context.name)
    desired = handler.model.parse({**wanted, "identity": context.identity})
    completed = handler.complete(desired, context)
    if recorded:
        handler.review(recorded, completed, context)
    return completed.inputs()


def whereabouts(object_id: str, context: Context) -> tuple[str, str]:
    """The workspace and the rest of `<id>` or `<workspace>/<id>`; without one it is the provider's.

    Raises:
        InvalidInput: Neither names a workspace, or there is no such workspace. None is made.
    """
    workspace, slash, rest = object_id.partition("/")
    if not slash:
        if context.default_workspace is None:
            raise _no_place(
                f"no workspace is named for {object_id}", "Write <workspace>/<id>, or set prism:workspace."
            )
        workspace, rest = context.default_workspace, object_id
    if not context.session.has_workspace(workspace):
        raise _no_place(f'there is no workspace "{workspace}" to see', "Check the name in <workspace>/<id>.")
    return workspace, rest


def _no_place(message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path="id", message=message, fix=fix)])


def diff(
    handler: Handler[M], state: Mapping[str, Any], inputs: Mapping[str, Any], context: Context
) -> Difference:
    """What the engine should do to bring a recorded state to new inputs.

    A value that is not known yet counts as a change. The engine asks with such values what has to go
    before something that it depends on goes, and a plan had better tell of one replacement too many.
    """
    rules = handler.model.rules()
    changed = tuple(name for name in handler.model.input_names() if state.get(name) != inputs.get(name))
    replaces = tuple(name for name in changed if rules[name].change is Change.REPLACE)
    due = None if changed else handler.why_due(handler.model.parse(state), context)
    return Difference(changed, replaces, due)
