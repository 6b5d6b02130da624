"""The resource class of a participant's public key."""

from __future__ import annotations

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import PublicKeyProvider

__all__ = ["PublicKey"]


class PublicKey(PrismResource, module="prism", name="PublicKey"):
    """The key by which an agent knows a participant; one per user and computation.

    Prism takes a key from its own user only, so the provider must hold that user's credentials. There is
    no call that removes a key: it goes with the computation.
    """

    workspace: Output[str]
    """The workspace that the computation is in."""
    computation: Output[str]
    """The id of the computation."""
    user: Output[str | None]
    """The user whose key it is."""
    key: Output[str]
    """The public key, PEM."""
    fingerprint: Output[str]
    """SHA-256 of the key's DER, 64 hexadecimal characters."""

    def __init__(
        self,
        resource_name: str,
        *,
        computation: Input[str],
        key: Input[str],
        user: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a public key.

        Args:
            resource_name: The logical name.
            computation: The id of the computation.
            key: The public key, PEM with the label `PUBLIC KEY`.
            user: The user whose key it is; the platform's own user when left out.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            PublicKeyProvider(),
            resource_name,
            {"workspace": workspace, "computation": computation, "user": user, "key": key},
            outputs=("fingerprint",),
            deletes_first=True,
            opts=opts,
        )
