"""The life of a certificate bundle: made here, issued by Prism or brought, and made again before it ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.lifecycle.handlers._bundle_files import brought, ending_soon, read_files, read_requests
from prism_iac.lifecycle.handlers._bundle_prism import (
    OLD_UNUSED,
    REVOKED,
    issue_at_prism,
    look_at_prism,
    renew_at_prism,
    revoke_all,
)
from prism_iac.lifecycle.handlers._bundle_steps import Step, advance, due_step, due_under_both, issue
from prism_iac.model.resources import CertificateBundle, CertificateSource

__all__ = ["CertificateBundleHandler"]

_FOR_LATER: Final = ("renew_before", "keys_on_renewal")
"""The inputs that say when and how to renew; their change makes nothing."""


class CertificateBundleHandler(Handler[CertificateBundle]):
    """Of its own CA and of files, the bundle is its state; certificates of Prism live there too."""

    model = CertificateBundle
    not_kept = "its keys are in the state of its stack alone"
    made_again = "its keys were in the lost answer alone; others are made"

    def why_due(self, state: CertificateBundle, context: Context) -> str | None:
        """What time asks for, or what Prism said at the last read, in words; None when it is nothing."""
        now = context.now()
        if state.source is CertificateSource.FILES:
            # No update makes them last longer, so this is told and asks for none.
            if line := ending_soon(state, now):
                context.report(line)
            return None
        if state.source is CertificateSource.PRISM and (reason := _why_due_at_prism(state)):
            return reason
        step = due_step(state, now)
        return _explained(step, state, now) if step else None

    def complete(self, desired: CertificateBundle, context: Context) -> CertificateBundle:
        """Read the files that are named; only certificates of Prism have a workspace."""
        if desired.source is CertificateSource.PRISM:
            return desired
        without = desired.with_(workspace=None) if desired.workspace is not None else desired
        return read_requests(read_files(without, context.now()))

    def create(self, desired: CertificateBundle, context: Context) -> Live[CertificateBundle]:
        """Make the keys and certificates, or let Prism make them, or take those that are brought."""
        if desired.source is CertificateSource.PRISM:
            return issue_at_prism(desired, context)
        if desired.source is CertificateSource.FILES:
            return Live(desired.identity, brought(desired))
        return Live(desired.identity, issue(desired, context.now()))

    def read(self, live: Live[CertificateBundle], context: Context) -> Live[CertificateBundle] | None:
        """The state is the bundle; of certificates of Prism, what it says of them."""
        if live.state.source is not CertificateSource.PRISM:
            return live
        seen = look_at_prism(live.state, context)
        return None if seen is None else Live(live.id, seen)

    def update(
        self, live: Live[CertificateBundle], desired: CertificateBundle, context: Context
    ) -> Live[CertificateBundle]:
        """Take the step that is due, or make what the inputs ask for; a new window alone makes nothing."""
        now = context.now()
        if desired.source is CertificateSource.FILES:
            return Live(live.id, brought(desired))
        kept = live.state.with_(**{name: getattr(desired, name) for name in _FOR_LATER})
        step = due_under_both(live.state, kept, now)
        is_same = all(getattr(kept, name) == getattr(desired, name) for name in kept.input_names())
        is_fine = kept.source is not CertificateSource.PRISM or _why_due_at_prism(kept) is None
        if step is None and is_same and is_fine:
            return Live(live.id, kept)
        if desired.source is CertificateSource.PRISM:
            return renew_at_prism(live.state, desired, context)
        bundle = advance(kept, desired, step, now)
        if bundle.next_ca_on is not None and bundle.next_ca_key != live.state.next_ca_key:
            context.report(
                f"another CA is announced: it signs from {_day(bundle.next_ca_on)} on; "
                "whoever connects to the agent fetches ca_certificate and their own files before"
            )
        return Live(live.id, bundle)

    def delete(self, live: Live[CertificateBundle], context: Context) -> None:
        """It goes with the state; what Prism issued is revoked."""
        if live.state.source is CertificateSource.PRISM:
            revoke_all(live.state, context)


def _why_due_at_prism(state: CertificateBundle) -> str | None:
    if state.server_serial is None:
        return "issues the certificates: the last update could not"
    if state.standing == REVOKED:
        return "issues other certificates: Prism says that these are revoked"
    if state.standing == OLD_UNUSED:
        return (
            f"revokes {', '.join(state.old_serials or ())}: nobody uses the certificates of before any more"
        )
    return None


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
