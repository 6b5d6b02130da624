"""How long a client waits and how much it takes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one client.

    Attributes:
        connect_seconds: For one connection, TLS included.
        reply_seconds: For one whole attempt, from the first byte sent to the last byte received.
        total_seconds: For a call with all its repeats; the pauses count.
        reply_bytes: The longest body that is taken, decoded.
        connections: The most connections that are open at once.
    """

    connect_seconds: float = 5.0
    reply_seconds: float = 30.0
    total_seconds: float = 60.0
    reply_bytes: int = 32 << 20
    connections: int = 64
