"""The life of a participant's public key at a computation."""

from __future__ import annotations

import hashlib

from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live
from prism_iac.model import contains_unknown
from prism_iac.model.resources import PublicKey

__all__ = ["PublicKeyHandler"]


class PublicKeyHandler(Handler[PublicKey]):
    """Acts as the user whose key it is: Prism takes a key from nobody else."""

    model = PublicKey
    not_kept = "Prism gives no key back"
    made_again = "Prism gives no key back; registering it again replaces it"
    replaces_by_deleting_first = True

    def complete(self, desired: PublicKey, _context: Context) -> PublicKey:
        """Refuse what is no public key before any call."""
        if not contains_unknown(desired.key):
            _key_der(desired.key)
        return desired

    def create(self, desired: PublicKey, context: Context) -> Live[PublicKey]:
        """Register the key; a repeat replaces it by itself."""
        computations = context.session.acting_for(desired.user, desired.workspace).computations
        computations.upload_key(desired.computation, desired.key)
        user = (
            context.session.user(desired.user, desired.workspace)
            if desired.user
            else context.session.platform_user
        )
        fingerprint = hashlib.sha256(_key_der(desired.key)).hexdigest()
        return Live(f"{desired.computation}/{user.id}", desired.with_(fingerprint=fingerprint))

    def read(self, live: Live[PublicKey], context: Context) -> Live[PublicKey] | None:
        """Gone when Prism says that the user has no key there; it never gives the key back."""
        computations = context.session.acting_for(live.state.user, live.state.workspace).computations
        return live if computations.has_key(live.state.computation) else None

    def update(self, live: Live[PublicKey], desired: PublicKey, context: Context) -> Live[PublicKey]:
        """Register the other key."""
        return Live(live.id, self.create(desired, context).state)

    def delete(self, _live: Live[PublicKey], _context: Context) -> None:
        """Nothing to do: Prism has no call for it; a key goes with its computation."""


def _key_der(key: str) -> bytes:
    from prism_iac.pki import parse_public_key

    return parse_public_key(key)
