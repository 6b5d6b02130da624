"""The life of a certificate bundle: made here, kept in state, made again before it ends."""

from __future__ import annotations

from datetime import datetime

from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.model import parse_duration
from prism_iac.model.resources import CertificateBundle

__all__ = ["CertificateBundleHandler"]


class CertificateBundleHandler(Handler[CertificateBundle]):
    """Nothing lives at a peer: the bundle is its state."""

    model = CertificateBundle

    def is_due(self, state: CertificateBundle, context: Context) -> bool:
        """Whether the renewal window has begun."""
        if state.not_after is None:
            return False
        return context.now() >= datetime.fromisoformat(state.not_after) - parse_duration(state.renew_before)

    def create(self, desired: CertificateBundle, context: Context) -> Live[CertificateBundle]:
        """Make the keys and certificates."""
        return Live(desired.identity, _issue(desired, context))

    def read(self, live: Live[CertificateBundle], _: Context) -> Live[CertificateBundle]:
        """The state is the bundle."""
        return live

    def update(
        self, live: Live[CertificateBundle], desired: CertificateBundle, context: Context
    ) -> Live[CertificateBundle]:
        """Make them again when what they say changes or their end is near; a new window alone changes nothing."""
        kept = live.state.with_(renew_before=desired.renew_before)
        if kept.inputs() == desired.inputs() and not self.is_due(kept, context):
            return Live(live.id, kept)
        return Live(live.id, _issue(desired, context))

    def delete(self, _live: Live[CertificateBundle], _context: Context) -> None:
        """Nothing to do: it goes with the state."""


def _issue(desired: CertificateBundle, context: Context) -> CertificateBundle:
    from prism_iac.pki import issue_bundle

    bundle = issue_bundle(desired, now=context.now())
    return desired.with_(
        ca_certificate=bundle.ca_certificate,
        ca_key=bundle.ca_key,
        server_certificate=bundle.server_certificate,
        server_key=bundle.server_key,
        client_certificate=bundle.client_certificate,
        client_key=bundle.client_key,
        not_before=bundle.not_before.isoformat() if bundle.not_before else None,
        not_after=bundle.not_after.isoformat() if bundle.not_after else None,
    )
