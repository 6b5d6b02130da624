"""What a stack's state does not know, looked at and settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_iac.cli._output import printable, say
from prism_iac.cli._pulumi import CHOOSE_A_STACK, ask_pulumi, project_folder
from prism_iac.cli.exchange._engine import PulumiEngine
from prism_iac.cli.repair._lock import Lock, locks_of, remove_stale
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.provider.repair import Decision, Services, StackState, Unlisted

__all__ = [
    "Review",
    "project_name",
    "reviewed",
    "services_of",
    "settle_creates",
    "short_name",
    "stack_locks",
]


@dataclass(frozen=True, slots=True)
class Review:
    """A stack with the decisions on its operations.

    Attributes:
        unlisted: What may exist besides, and no peer lists.
    """

    engine: PulumiEngine
    state: StackState
    services: Services
    decisions: tuple[Decision, ...]
    locks: list[Lock]
    unlisted: tuple[Unlisted, ...]

    def settle(self, decisions: tuple[Decision, ...] | None = None) -> tuple[Decision, ...]:
        """Free the stack, keep a copy of its state and write what was decided.

        Args:
            decisions: Some of them; all when left out.

        Returns:
            What became of each.

        Raises:
            Conflict: An update may be going on, or was done meanwhile, or the engine refuses the state.
        """
        from prism_iac.provider.repair import Outcome, apply, finished

        remove_stale(stack_locks(self.engine.stack_name))
        wanted = [item for item in decisions or self.decisions if item.outcome is not Outcome.LEFT]
        if not wanted:
            return self.decisions
        if self.engine.export(shows_secrets=True) != self.state.document:
            raise Conflict("the stack was updated meanwhile", next_step="Run it again.")
        self.engine.keep(self.engine.export())
        done = tuple(finished(item, self.services) for item in wanted)
        self.engine.replace_state(apply(self.state, done).document)
        return (*done, *(item for item in self.decisions if item.outcome is Outcome.LEFT))


@contextmanager
def reviewed(stack: str | None, *, may_start: bool) -> Iterator[Review]:
    """A stack, looked at; nothing is changed.

    Args:
        stack: Its name; the selected one without it.
        may_start: Whether an embedded backend that is not running is started.

    Raises:
        Conflict: There is no Pulumi CLI, no project or no such stack.
    """
    from prism_iac.provider.repair import decide, unlisted

    engine = PulumiEngine(stack)
    with services_of(stack, may_start=may_start) as services:
        state = services.state
        yield Review(
            engine=engine,
            state=state,
            services=services,
            decisions=tuple(decide(state, services)),
            locks=stack_locks(engine.stack_name),
            unlisted=tuple(unlisted((item.resource for item in state.pending), datetime.now(UTC))),
        )


def services_of(stack: str | None, *, may_start: bool) -> Services:
    """The way to the peers of a stack's resources; the caller closes it."""
    from prism_iac.provider.repair import Services, StackState

    state = StackState(PulumiEngine(stack).export(shows_secrets=True))
    return Services(
        state,
        _configuration(stack),
        report=lambda name, line: say(printable(f"{name}: {line}")),
        may_start=may_start,
    )


def settle_creates(stack: str) -> None:
    """Settle the creates that were cut off before an update of the stack, and remove a stale lock; says so in a line.

    Other operations are the update's own to do again.
    """
    from prism_iac.provider.repair import Operation, Outcome

    locks = stack_locks(stack)
    if locks and all(lock.is_stale for lock in locks):
        remove_stale(locks)
        say(f"removed the lock of an update that was killed: {locks[0]}")
    if not PulumiEngine(stack).export()["deployment"].get("pending_operations"):
        return
    with reviewed(stack, may_start=True) as review:
        creates = tuple(
            item
            for item in review.decisions
            if item.pending.operation is Operation.CREATE and item.outcome is not Outcome.LEFT
        )
        if creates:
            review.settle(creates)
            made = sum(item.outcome is Outcome.RECORDED for item in creates)
            say(f"settled {len(creates)} creates that were cut off: {made} came into the state")


def short_name(stack: str) -> str:
    """The name of a stack without its organization."""
    return stack.rpartition("/")[2]


def project_name() -> str:
    """The name of the project of the current folder."""
    import yaml

    document: Any = yaml.safe_load((project_folder(Path.cwd(), CHOOSE_A_STACK) / "Pulumi.yaml").read_bytes())
    return str(document["name"])


def stack_locks(stack: str) -> list[Lock]:
    """The locks of a stack of this project, oldest first."""
    return locks_of(short_name(stack), project=project_name())


def _configuration(stack: str | None) -> dict[str, str]:
    told = json.loads(ask_pulumi("config", "--json", "--show-secrets", stack=stack, by_hand=CHOOSE_A_STACK))
    return {name: str(item["value"]) for name, item in told.items() if item.get("value") is not None}
