"""A life is cut off at a point of each of its steps, goes on, and is cut off at other points the next time.

The state after a step is what the next one begins with, so nothing has to be prepared for a kill: that
everything is in order again is what each kill has to prove anyway.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from prism_iac.testing.faults._invariant import violations
from prism_iac.testing.faults._tape import KillPoint, Moment
from prism_iac.testing.faults._world import Ended, Victim, World

__all__ = ["Cut", "Life", "Step", "cut_off", "live_through", "plan", "record"]

_MOST_PENDING: Final = 3
"""So many operations are left pending before they are settled, which takes its time."""

Life = tuple[tuple[KillPoint, Victim] | None, ...]
"""Where each step of a life is cut off, and what is killed there; None where it is not."""


@dataclass(frozen=True)
class Step:
    """One update in the life of a stack.

    Attributes:
        name: What it is, such as `update`.
        verb: `up` or `destroy`.
        arguments: More options of the command.
        files: What the program is from here on: content by path below the project.
        begin: Changes the world before it.
    """

    name: str
    verb: str = "up"
    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    begin: Callable[[World], None] = lambda _: None

    def prepare(self, world: World) -> None:
        """Make the project what it is from here on."""
        for path, content in self.files.items():
            (world.folder / path).write_text(content, encoding="utf-8")
        self.begin(world)

    def take(self, world: World) -> Ended:
        """Run its command."""
        return world.update(self.verb, *self.arguments)


@dataclass(frozen=True)
class Cut:
    """A step that was cut off, and what became of it.

    Attributes:
        faults: What was wrong afterwards; empty when it survived.
    """

    step: str
    point: KillPoint
    victim: Victim
    seconds: float
    faults: tuple[str, ...]


def record(
    world: World, steps: Sequence[Step], *, has_first_times: bool = True
) -> dict[str, list[KillPoint]]:
    """The points of each step, from a life in which nothing is killed.

    Args:
        world: Where nothing is.
        steps: A life, which ends with nothing.
        has_first_times: Whether something is left of a life, such as the accounts of participants, that the next one
            need not make: then the second one counts.

    Raises:
        AssertionError: A step does not succeed by itself, or leaves something wrong.
    """
    if has_first_times:
        live_through(world, steps)
    points: dict[str, list[KillPoint]] = {}
    for step in steps:
        step.prepare(world)
        world.tape.begin()
        ended = step.take(world)
        points[step.name] = world.tape.points()
        faults = [*_unless(ended, 0), *_afterwards(world, step)]
        assert not faults, f"{step.name}, undisturbed: {faults}"
    return points


def live_through(world: World, steps: Sequence[Step]) -> None:
    """Take every step once, undisturbed.

    Raises:
        AssertionError: A step does not succeed by itself.
    """
    for step in steps:
        step.prepare(world)
        world.tape.begin()
        faults = _unless(step.take(world), 0)
        assert not faults, f"{step.name}, undisturbed: {faults}"


def plan(
    steps: Sequence[Step],
    points: Mapping[str, Sequence[KillPoint]],
    *,
    victims: Sequence[Victim] = tuple(Victim),
    every_point: bool = False,
    sample: int | None = None,
    seed: int = 0,
) -> list[Life]:
    """The lives in which each step is cut off wherever that leaves another world behind.

    Args:
        steps: A life, which ends with nothing.
        points: Of each step, as `record` gives them.
        victims: What is killed; at writes of state it is the engine alone: nothing else is at work there.
        every_point: Cut it off before and after each call, also where the same is left behind.
        sample: How many cuts of each step; None for all.
        seed: Of the choice.
    """
    source = random.Random(seed)  # noqa: S311  # a repeatable choice, no secret
    columns: list[list[tuple[KillPoint, Victim]]] = []
    for step in steps:
        cuts = list(_cuts(points[step.name], victims, every_point=every_point))
        columns.append(cuts if sample is None else source.sample(cuts, min(sample, len(cuts))))
    return [tuple(life) for life in zip_longest(*columns)]


def cut_off(world: World, steps: Sequence[Step], lives: Iterable[Life]) -> Iterator[Cut]:
    """Live, and be cut off at each step.

    Args:
        world: Where nothing is.
        steps: A life, which ends with nothing.
        lives: Where each of them is cut off, as `plan` gives it.
    """
    for life in lives:
        for step, cut in zip(steps, life, strict=True):
            step.prepare(world)
            if cut is None:
                world.tape.begin()
                step.take(world)
            else:
                yield _cut(world, step, *cut)


def _cuts(
    points: Sequence[KillPoint], victims: Sequence[Victim], *, every_point: bool
) -> Iterator[tuple[KillPoint, Victim]]:
    """What is killed where, in the order of the points.

    A caller that is killed leaves what it had done, so between two changes one point stands for all. The first point
    is that at which nothing is done yet. A backend that is killed loses a call or the reply to it, which are two things
    where the call changes something.
    """
    for victim in victims:
        # At writes of state the engine alone is at work.
        own = [point for point in points if victim is Victim.ENGINE or not point.is_of_state]
        for place, point in enumerate(own):
            is_after = point.moment is Moment.AFTER
            is_first = place == 0 if victim is not Victim.BACKEND else not is_after
            if every_point or is_first or (is_after and point.changes_something):
                yield point, victim


def _cut(world: World, step: Step, point: KillPoint, victim: Victim) -> Cut:
    begun = time.monotonic()
    world.tape.begin(point, lambda: world.kill(victim))
    ended = step.take(world)
    struck = world.tape.struck
    world.tape.begin()
    faults = []
    if not struck:
        faults.append("it never came to this point")
    if left := world.settle():
        faults.append(f"the processes {left} outlive the update")
    if "Traceback (most recent call last)" in ended.text:
        faults.append(f"it ends with a traceback:\n{ended.text}")
    if world.store.is_locked:
        # What the engine asks people for after it was killed.
        faults += _unless(world.run("cancel", "--yes"), 0)
    faults += _unless(step.take(world), 0)
    faults += _afterwards(world, step)
    return Cut(step.name, point, victim, time.monotonic() - begun, tuple(faults))


def _afterwards(world: World, step: Step) -> Iterator[str]:
    if step.verb == "destroy":
        if left := [item["urn"] for item in world.resources()]:
            yield f"the state still has {left}"
    else:
        yield from _unless(world.preview_after_refresh(), 0)
    yield from violations(world)
    if world.pending() > _MOST_PENDING or (world.pending() and step.verb == "destroy"):
        # The engine keeps creates that it lost sight of until somebody settles them, and warns at each update.
        yield from _unless(world.prism_iac("repair", "--yes"), 0)
        if left_pending := world.pending():
            yield f"{left_pending} operations are pending after a repair"


def _unless(ended: Ended, code: int) -> list[str]:
    return [] if ended.code == code else [f"code {ended.code}:\n{ended.text}"]
