"""A participant's public key for one computation."""

from __future__ import annotations

from typing import Annotated, ClassVar

from prism_iac.model._canonical import Pem, Text, User
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model.resources._base import InWorkspace

__all__ = ["PublicKey"]


class PublicKey(InWorkspace):
    """The key by which an agent knows a participant (prism-rest.md section 5.7, D22, D23).

    One per user and computation, for all of the user's parts in it. The private key never leaves its owner.
    """

    kind: ClassVar[str] = "PublicKey"

    computation: Annotated[Text, REPLACE]
    """The id of the computation."""

    user: Annotated[User | None, REPLACE] = None
    """The user whose key it is; the provider's own user when left out."""

    key: Annotated[Pem, IN_PLACE]
    """The public key, PEM with the label `PUBLIC KEY`: RSA from 2048 bits, P-256, P-384, P-521 or Ed25519."""

    fingerprint: Annotated[str | None, COMPUTED] = None
    """SHA-256 of the key's DER, 64 lower-case hexadecimal characters."""
