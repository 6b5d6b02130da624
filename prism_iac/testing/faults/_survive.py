"""Cuts off a life at every point there is, in several worlds at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from prism_iac.testing.faults._lives import Cut, Life, Step, cut_off, live_through, plan, record
from prism_iac.testing.faults._world import Victim, World, open_world
from prism_iac.toolchain import Pulumi

__all__ = ["Scenario", "survive"]


@dataclass(frozen=True)
class Scenario:
    """A life, and what stands around it.

    Attributes:
        name: What it is about.
        steps: The life, which ends as it began.
        around: What is there before and after each life, and is made undisturbed.
        has_first_times: Whether the first life makes what is left for all others, such as accounts of participants.
    """

    name: str
    steps: Sequence[Step]
    around: Step | None = None
    has_first_times: bool = True

    def __str__(self) -> str:
        return self.name


@dataclass
class _Worlds:
    """Opens worlds that have seen a life; they are closed with the context."""

    scenario: Scenario
    project: Path
    pulumi: Pulumi
    configuration: Mapping[str, str]
    _closing: ExitStack = field(default_factory=ExitStack)

    def open(self) -> World:
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="faults-"))
        world = self._closing.enter_context(
            open_world(self.project, Path(folder), self.pulumi, configuration=self.configuration)
        )
        if self.scenario.around is not None:
            live_through(world, [self.scenario.around])
        if self.scenario.has_first_times:
            live_through(world, self.scenario.steps)
        return world

    def close(self) -> None:
        self._closing.close()


def survive(
    scenario: Scenario,
    project: Path,
    pulumi: Pulumi,
    *,
    configuration: Mapping[str, str],
    victims: Sequence[Victim] = tuple(Victim),
    every_point: bool = False,
    sample: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    report: Callable[[Cut], None] = lambda _: None,
) -> list[Cut]:
    """What became of a life that was cut off at each of its points.

    Args:
        scenario: The life.
        project: A folder with Pulumi.yaml and a program in Python, of which copies are worked with.
        pulumi: The CLI.
        configuration: Values of the stack's configuration by key.
        victims: What is killed.
        every_point: Cut it off also where the same is left behind as at another point.
        sample: How many cuts of each step; None for all.
        seed: Of the choice.
        jobs: How many worlds there are at once.
        report: Is told of each cut.

    Raises:
        AssertionError: A step does not succeed by itself.
    """
    with ExitStack() as closing:

        def worlds() -> _Worlds:
            opened = _Worlds(scenario, project, pulumi, configuration)
            closing.callback(opened.close)
            return opened

        own = worlds()
        first = own.open()
        points = record(first, scenario.steps)
        lives = plan(
            scenario.steps, points, victims=victims, every_point=every_point, sample=sample, seed=seed
        )
        shares = [(worlds() if number else own, lives[number::jobs]) for number in range(jobs)]
        with ThreadPoolExecutor(jobs) as pool:
            found = pool.map(
                lambda share: _live(*share, world=first if share[0] is own else None, report=report), shares
            )
            return list(chain.from_iterable(found))


def _live(
    worlds: _Worlds, lives: Sequence[Life], *, world: World | None, report: Callable[[Cut], None]
) -> list[Cut]:
    cuts: list[Cut] = []
    for life in lives:
        # What one kill has broken must not be blamed on the next.
        world = world or worlds.open()
        for cut in cut_off(world, worlds.scenario.steps, [life]):
            report(cut)
            cuts.append(cut)
            if cut.faults:
                worlds.close()
                world = None
                break
    return cuts
