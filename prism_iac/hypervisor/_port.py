"""A port, of the loopback unless another address is named, that stays one VM's for as long as its process lives.

A socket is bound to it, never listens, and is handed down to the VM's process. The kernel gives the port to
nobody else meanwhile, on the whole machine; only the agent, which sets SO_REUSEADDR as gRPC does, can listen
on it (ip(7), socket(7)).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from prism_iac.errors import Conflict

__all__ = ["ANY_PORT", "LOOPBACK", "Ports", "reserve_port"]

LOOPBACK = "127.0.0.1"

ANY_PORT: Final = (0,)
"""The kernel chooses one that is free."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a VM.

    Attributes:
        agent: Participants reach the agent there.
        evidence: The agent gives evidence there at any time; None when it does elsewhere, or has none.
    """

    agent: int
    evidence: int | None = None


def reserve_port(
    preferred: int | None = None, *, host: str = LOOPBACK, among: Sequence[int] = ANY_PORT
) -> closing[socket.socket]:
    """A bound socket to hand down; on the preferred port when that is still free.

    Args:
        preferred: The port of an earlier start.
        host: An address of this machine.
        among: Ports to try; the first free one is taken.

    Raises:
        Conflict: None of them is free.
    """
    if preferred is not None and (kept := _bind(host, preferred, shares=True)) is not None:
        return closing(kept)
    for port in among:
        # Two sockets that share, neither of them listening, would both get a port that is asked for by number.
        if (holder := _bind(host, port, shares=port == 0)) is not None:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return closing(holder)
    which = "port" if tuple(among) == ANY_PORT else f"port from {among[0]} to {among[-1]}"
    raise Conflict(
        f"there is no free {which} at {host}",
        next_step="Remove VMs that are not needed, and check that it is an address of this machine.",
    )


def _bind(host: str, port: int, *, shares: bool) -> socket.socket | None:
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, shares)
    try:
        holder.bind((host, port))
    except OSError:
        holder.close()
        return None
    return holder
