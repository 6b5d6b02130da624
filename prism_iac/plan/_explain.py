"""From a preview to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Difference, Session, Settings, diff
from prism_iac.plan._consequences import Changed, consequences
from prism_iac.plan._dates import Entry, upcoming
from prism_iac.plan._fields import field_changes
from prism_iac.plan._graph import Graph
from prism_iac.plan._missing import missing_items
from prism_iac.plan._plan import Effect, FieldChange, Plan, ResourceChange, RuleFinding, Upcoming, World
from prism_iac.plan._preview import Preview, Resource, plain
from prism_iac.plan._shown import KNOWN_AFTER, Shower
from prism_iac.plan._trust import trust_shifts
from prism_iac.plan._world import digest_of_changes

__all__ = ["HORIZON_DAYS", "Surroundings", "explain"]

HORIZON_DAYS: Final = 90

_EFFECTS: Final = {
    "create": Effect.CREATE,
    "import": Effect.CREATE,
    "update": Effect.UPDATE,
    "replace": Effect.REPLACE,
    "import-replacement": Effect.REPLACE,
    "delete": Effect.DELETE,
}
"""What the engine's words come to; those that are not here leave a resource as it is."""

_ORDER: Final = (Effect.DELETE, Effect.REPLACE, Effect.UPDATE, Effect.CREATE)
_IDENTITY: Final = "identity"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a plan needs besides the preview.

    Attributes:
        stack: The stack's name.
        now: The time that the plan is for, aware.
        salt: Keys the fingerprints of secrets.
        dates: What expires or renews, whenever.
        rules: What breaks the rules of the environment.
        world: What the preview was made from; the digest of changes is added.
    """

    stack: str
    now: datetime
    salt: bytes
    dates: tuple[Entry, ...] = ()
    rules: tuple[RuleFinding, ...] = ()
    world: World = field(default_factory=World)


def explain(preview: Preview, given: Surroundings) -> Plan:
    """The plan of a preview; what goes or is replaced comes first."""
    graph = Graph(preview)
    show = Shower(given.salt, graph.names)
    changes = [
        change
        for resource in preview.resources.values()
        if (change := _change(resource, graph, show, given.now)) is not None
    ]
    return Plan(
        stack=given.stack,
        as_of=given.now.astimezone(UTC).date(),
        errors=preview.errors,
        trust=tuple(trust_shifts(preview, graph.names, given.now)),
        changes=tuple(sorted(changes, key=lambda item: (_ORDER.index(item.effect), item.kind, item.urn))),
        unchanged=len(preview.resources) - len(changes),
        missing=tuple(missing_items(graph)),
        upcoming=tuple(_upcoming(given)),
        rules=given.rules,
        world=given.world.model_copy(update={"changes": digest_of_changes(changes)}),
    )


def _change(resource: Resource, graph: Graph, show: Shower, now: datetime) -> ResourceChange | None:
    effect = _EFFECTS.get(resource.op)
    if effect is None:
        return None
    difference = _difference(resource, effect, now)
    fields: tuple[FieldChange, ...] = ()
    if effect is not Effect.DELETE:
        fields = tuple(field_changes(resource, difference.changed, show, graph.name_of))
    changed = Changed(resource, effect, fields, is_due=difference.due is not None, now=now)
    days_left = _days_left(changed) if changed.is_due else None
    return ResourceChange(
        effect=effect,
        kind=resource.kind,
        name=resource.name,
        urn=resource.urn,
        fields=fields,
        reasons=tuple(_reasons(changed, difference)),
        renews=days_left is not None,
        days_left=days_left,
        consequences=consequences(changed, graph),
    )


def _difference(resource: Resource, effect: Effect, now: datetime) -> Difference:
    """What differs, by the very function that the provider answers the engine with."""
    if effect is Effect.DELETE:
        return Difference()
    old, new = plain(resource.state or {}), plain(resource.new or {})
    handler = HANDLERS[resource.kind] if resource.is_ours and resource.kind in HANDLERS else None
    if handler is not None and effect is not Effect.CREATE:
        return diff(handler, old, new, _context(resource, now))
    known = plain(resource.old or {})
    changed = sorted(name for name in {*known, *new} - {_IDENTITY} if known.get(name) != new.get(name))
    return Difference(tuple(changed), resource.replaces)


def _context(resource: Resource, now: datetime) -> Context:
    """Surroundings in which nobody can be asked: what a change does follows from inputs, state and time."""
    return Context(
        name=resource.name,
        identity="",
        session=Session(Settings(endpoint=EMBEDDED, data=Path())),
        default_workspace=None,
        now=lambda: now,
        pause=_ignore,
        report=_ignore,
    )


def _ignore(_: Any) -> None:
    pass


def _reasons(changed: Changed, difference: Difference) -> Iterator[str]:
    if difference.due is not None:
        yield difference.due
    resource = changed.resource
    if changed.effect is Effect.REPLACE:
        names = resource.replaces or difference.replaces
        yield (
            f"another {' and '.join(names)} asks for another object"
            if names
            else "a replacement was asked for"
        )
    elif changed.effect is Effect.UPDATE and difference.due is None:
        old, new = plain(resource.old or {}), plain(resource.new or {})
        left = [name for name in difference.changed if old.get(name) == new.get(name)]
        if left:
            yield f"the last update left undone: {', '.join(left)}"
    if changed.effect is not Effect.CREATE:
        sources = dict.fromkeys(item.new for item in changed.fields if item.is_open and item.new)
        yield from (f"what comes from {source} changes" for source in sorted(map(_source, sources)) if source)


def _source(shown: str) -> str:
    return shown.removeprefix(KNOWN_AFTER).removesuffix(")") if shown.startswith(KNOWN_AFTER) else ""


def _days_left(changed: Changed) -> int | None:
    end = changed.state("not_after")
    return (datetime.fromisoformat(end) - changed.now).days if isinstance(end, str) else None


def _upcoming(given: Surroundings) -> Iterable[Upcoming]:
    today = given.now.astimezone(UTC).date()
    for entry in upcoming(given.dates, now=given.now, days=HORIZON_DAYS):
        day: date = entry.at.astimezone(UTC).date()
        yield Upcoming(
            on=day, days_left=(day - today).days, event=entry.event, of=entry.of, next_step=entry.next_step
        )
