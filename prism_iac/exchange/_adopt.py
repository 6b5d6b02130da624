"""Takes what lives in a workspace under the management of a stack.

The engine imports dynamic resources by no id, so their state is built: the engine itself plans what the
program declares, which tells everything of a resource but its id and its outputs; those are read from Prism
as a refresh would. The state is kept first, and put back when the next preview is not empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from prism_iac._engine import DYNAMIC_TYPES, PROVIDER_KEY, PROVIDER_TYPES, SECRET_MARK, SIGNATURE
from prism_iac.errors import Conflict
from prism_iac.lifecycle import HANDLERS, Context, Live, Session
from prism_iac.model import AssetKind, marked

if TYPE_CHECKING:
    from prism_iac.model.resources import Asset, Computation

__all__ = ["Engine", "LiveObjects", "Planned", "adopt", "mark_adopted"]

_TAKEN_OVER: Final = (
    "urn",
    "custom",
    "type",
    "parent",
    "dependencies",
    "provider",
    "propertyDependencies",
    "additionalSecretOutputs",
    "protect",
)
"""What the plan says of a resource and its state says, too."""
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Planned:
    """One step of a preview.

    Attributes:
        op: The engine's word: `same`, `create`, ...
        state: The resource as it would be, secrets masked.
    """

    op: str
    urn: str
    state: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str | None:
        """The kind of ours; None for the stack, components and providers."""
        token = str(self.state.get("type", ""))
        return token.removeprefix(DYNAMIC_TYPES) if token.startswith(DYNAMIC_TYPES) else None

    @property
    def is_foreign(self) -> bool:
        """Whether it is a resource of another provider, or of the native plugin."""
        is_provider = str(self.state.get("type", "")).startswith(PROVIDER_TYPES)
        return bool(self.state.get("custom")) and self.kind is None and not is_provider


class Engine(Protocol):
    """What is asked of the Pulumi engine, for one stack."""

    def preview(self) -> list[Planned]:
        """What an update would do."""

    def make_only(self, urns: Iterable[str]) -> None:
        """Make these resources and no others."""

    def export(self) -> dict[str, Any]:
        """The state as it is, secrets encrypted."""

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Put another state in its place."""


class LiveObjects:
    """The objects of a workspace that resources of a plan stand for.

    Args:
        session: The way to Prism.
        assets: The ids of assets by logical name.
        context: Makes the surroundings for a resource from its logical name and identity.
    """

    def __init__(
        self, session: Session, assets: Mapping[str, str], context: Callable[[str, str], Context]
    ) -> None:
        self._session = session
        self._assets = assets
        self._context = context

    def find(self, planned: Planned) -> Live[Any] | None:
        """The live object as a refresh would read it; None when there is none."""
        kind, inputs = planned.kind, dict(planned.state.get("inputs", {}))
        if kind not in ("Asset", "Computation", "Participant"):
            return None
        inputs.pop(PROVIDER_KEY, None)
        if kind == "Computation":
            # What depends on other resources is not known to the plan, and read instead.
            for name in ("algorithm", "datasets", "agent"):
                inputs.pop(name, None)
        object_id = self._id_of(kind, planned.name, inputs)
        if object_id is None:
            return None
        handler = HANDLERS[kind]
        live = Live(object_id, handler.model.parse(inputs))
        return handler.read(live, self._context(planned.name, inputs["identity"]))

    def _id_of(self, kind: str, name: str, inputs: dict[str, Any]) -> str | None:
        if kind == "Asset":
            return self._assets.get(name)
        known = self._session.snapshot(inputs["workspace"]).computations
        if kind == "Computation":
            record = known.find(inputs["name"])
            return record.id if record else None
        record, user = known.find(name.partition("/")[0]), self._session.find_user(inputs["user"])
        if record is None or user is None:
            return None
        inputs["computation"] = record.id
        return f"{record.id}/{user.id}"


def adopt(
    engine: Engine,
    objects: LiveObjects,
    *,
    expected: Iterable[str],
    keep: Callable[[Mapping[str, Any]], None],
) -> list[Live[Any]]:
    """Bring what a stack declares and a workspace has into the state of the stack.

    Args:
        engine: For that stack; its program declares the objects.
        objects: Those of the workspace.
        expected: The logical names of computations that the program has to declare.
        keep: Stores the state before it is changed.

    Returns:
        What was brought in; the next preview is empty.

    Raises:
        Conflict: It would not be; the state is as it was.
    """
    plan = engine.preview()
    _require_only_creates(plan, expected)
    found = {step.urn: objects.find(step) for step in plan if step.op == "create" and step.kind}
    if absent := [step for step in plan if step.urn in found and found[step.urn] is None]:
        raise Conflict(
            f"the program declares what the workspace does not have: {_named(absent)}",
            next_step="Deploy or remove it first; what lives on the side of Prism alone is adopted.",
        )
    before = engine.export()
    keep(before)
    try:
        ground = [step.urn for step in plan if step.op == "create" and not step.kind]
        if ground:
            engine.make_only(ground)
            plan = engine.preview()
        deployment = engine.export()
        resources = deployment["deployment"].setdefault("resources", [])
        resources += [_entry(step, live) for step in plan if (live := found.get(step.urn)) is not None]
        engine.replace_state(deployment)
        _require_empty(engine.preview())
    except BaseException:
        engine.replace_state(before)
        raise
    return [live for live in found.values() if live is not None]


def _require_only_creates(plan: list[Planned], expected: Iterable[str]) -> None:
    if other := [step for step in plan if step.op not in ("same", "create")]:
        raise Conflict(f"the stack has changes of its own: {_named(other)}", next_step="Deploy them first.")
    if foreign := [step for step in plan if step.op == "create" and step.is_foreign]:
        raise Conflict(
            f"the stack would make what no workspace holds: {_named(foreign)}", next_step="Deploy it first."
        )
    declared = {step.name for step in plan if step.kind == "Computation"}
    if missing := sorted(set(expected) - declared):
        raise Conflict(
            f"the program does not declare {', '.join(missing[:_SHOWN])}",
            next_step="Let it load the stack file: `prism_iac.StackFile(...)`.",
        )


def _require_empty(plan: list[Planned]) -> None:
    if left := [step for step in plan if step.op != "same"]:
        raise Conflict(
            f"the preview would not be empty: {_named(left)}",
            next_step="Make the stack file say what is there, or change what is there. The state is as it was.",
        )


def _named(steps: list[Planned]) -> str:
    words = [f"{step.op} {step.kind or 'resource'} {step.name}" for step in steps[:_SHOWN]]
    more = len(steps) - len(words)
    return ", ".join([*words, *([f"{more} more"] if more else [])])


def _entry(step: Planned, live: Live[Any]) -> dict[str, Any]:
    """A resource as a deployment holds it."""
    provider = {PROVIDER_KEY: step.state["inputs"][PROVIDER_KEY]}
    identity = {"identity": live.state.identity}
    return {
        **{name: step.state[name] for name in _TAKEN_OVER if name in step.state},
        "id": live.id,
        "inputs": {**_sealed(live.state.inputs()), **identity, **provider},
        "outputs": {**_sealed(live.state.properties()), **identity, **provider},
    }


def _sealed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties with the private key of an agent marked as secret; the engine encrypts it."""
    agent = properties.get("agent")
    if not isinstance(agent, Mapping) or not agent.get("server_key"):
        return dict(properties)
    key = {SIGNATURE: SECRET_MARK, "plaintext": json.dumps(agent["server_key"])}
    return {**properties, "agent": {**agent, "server_key": key}}


def mark_adopted(adopted: Iterable[Live[Any]], session: Session) -> list[str]:
    """Let objects carry the marks of their resources, so that a create that lost its state finds them.

    Returns:
        The logical descriptions of assets whose provider alone can do that; the next update does it.
    """
    left = []
    for live in adopted:
        if live.state.kind == "Computation":
            _mark_computation(live, session)
        elif live.state.kind == "Asset" and not _mark_asset(live, session):
            left.append(live.state.description)
    return left


def _mark_computation(live: Live[Computation], session: Session) -> None:
    state = live.state
    session.workspace(state.workspace).computations.update(
        live.id, name=state.name, description=marked(state.description, state.identity)
    )


def _mark_asset(live: Live[Asset], session: Session) -> bool:
    from prism_iac.prism import AssetContent

    state = live.state
    if state.provider and not session.can_act_for(state.provider, state.workspace):
        return False
    content = AssetContent(
        asset_type=AssetKind(state.asset_type),
        description=marked(state.description, state.identity),
        checksum=state.checksum or "",
        file_name=state.file_name or "",
        mime_type=state.mime_type or "",
        source=state.source,
    )
    session.acting_for(state.provider, state.workspace).assets.update(live.id, content)
    return True
