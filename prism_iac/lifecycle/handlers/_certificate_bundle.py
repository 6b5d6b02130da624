"""The life of a certificate bundle: made here, kept in state, made again before it ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.lifecycle.handlers._bundle_steps import Step, advance, due_step, issue
from prism_iac.model.resources import CertificateBundle

__all__ = ["CertificateBundleHandler"]

_FOR_LATER: Final = ("renew_before", "keys_on_renewal")
"""The inputs that say when and how to renew; their change makes nothing."""


class CertificateBundleHandler(Handler[CertificateBundle]):
    """Nothing lives at a peer: the bundle is its state."""

    model = CertificateBundle
    not_kept = "its keys are in the state of its stack alone"

    def why_due(self, state: CertificateBundle, context: Context) -> str | None:
        """What time asks for, in words; None when it is nothing."""
        now = context.now()
        step = due_step(state, now)
        return _explained(step, state, now) if step else None

    def create(self, desired: CertificateBundle, context: Context) -> Live[CertificateBundle]:
        """Make the keys and certificates."""
        return Live(desired.identity, issue(desired, context.now()))

    def read(self, live: Live[CertificateBundle], _: Context) -> Live[CertificateBundle]:
        """The state is the bundle."""
        return live

    def update(
        self, live: Live[CertificateBundle], desired: CertificateBundle, context: Context
    ) -> Live[CertificateBundle]:
        """Take the step that is due, or make what the inputs ask for; a new window alone makes nothing."""
        now = context.now()
        kept = live.state.with_(**{name: getattr(desired, name) for name in _FOR_LATER})
        step = _due_under_both(live.state, kept, now)
        if step is None and all(getattr(kept, name) == getattr(desired, name) for name in kept.input_names()):
            return Live(live.id, kept)
        bundle = advance(kept, desired, step, now)
        if bundle.next_ca_on is not None and bundle.next_ca_key != live.state.next_ca_key:
            context.report(
                f"another CA is announced: it signs from {_day(bundle.next_ca_on)} on; "
                "whoever connects to the agent fetches ca_certificate and their own files before"
            )
        return Live(live.id, bundle)

    def delete(self, _live: Live[CertificateBundle], _context: Context) -> None:
        """Nothing to do: it goes with the state."""


def _due_under_both(before: CertificateBundle, after: CertificateBundle, now: datetime) -> Step | None:
    """What is due whichever of two windows holds."""
    step, other = due_step(before, now), due_step(after, now)
    return other if step is Step.RENEW else step


def _explained(step: Step, state: CertificateBundle, now: datetime) -> str:
    match step:
        case Step.REMAKE:
            return f"made again: not valid before {_day(state.not_before)}, which this machine's clock has not reached"
        case Step.RENEW:
            assert state.not_after is not None, "what renews has an end"
            left = datetime.fromisoformat(state.not_after) - now
            until = f"{_left(left)} left, until" if left > timedelta(0) else "ended on"
            return f"renews: {until} {_day(state.not_after)}"
        case Step.CHANGE_CA:
            return "changes the CA: the one that was announced signs; the old one stays trusted for what it signed"
        case Step.RETIRE_CA:
            return "retires the old CA: nothing that it signed is valid any more"


def _left(time: timedelta) -> str:
    for unit, size in (
        ("day", timedelta(days=1)),
        ("hour", timedelta(hours=1)),
        ("minute", timedelta(minutes=1)),
    ):
        if count := time // size:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def _day(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d}" if moment else "?"
