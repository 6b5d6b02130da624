"""What gRPC says of a call that never reached its server, so that nothing happened there."""

from __future__ import annotations

from typing import Final

__all__ = ["NEVER_CONNECTED", "never_connected"]

NEVER_CONNECTED: Final = "failed to connect"

_BEGINNINGS: Final = (NEVER_CONNECTED, "errors resolving", "DNS resolution failed", "name resolution")


def never_connected(details: str) -> bool:
    """Whether the details of the status UNAVAILABLE say that no connection was made; one that broke may have told."""
    return details.startswith(_BEGINNINGS)
