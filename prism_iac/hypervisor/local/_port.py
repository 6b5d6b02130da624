"""A port, of the loopback unless another address is named, that stays one VM's for as long as its process lives.

A socket is bound to it, never listens, and is handed down to the VM's process. The kernel gives the port to
nobody else meanwhile, on the whole machine; only the agent, which sets SO_REUSEADDR as gRPC does, can listen
on it (ip(7), socket(7)).
"""

from __future__ import annotations

import socket
from contextlib import closing

from prism_iac.errors import Conflict

__all__ = ["LOOPBACK", "address_of", "reserve_port"]

LOOPBACK = "127.0.0.1"


def reserve_port(preferred: int | None = None, *, host: str = LOOPBACK) -> closing[socket.socket]:
    """A bound socket to hand down; on the preferred port when that is still free.

    Args:
        preferred: The port of an earlier start.
        host: An address of this machine.

    Raises:
        Conflict: The machine has no free port.
    """
    for port in (preferred, 0):
        if port is None:
            continue
        holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((host, port))
        except OSError:
            holder.close()
            continue
        return closing(holder)
    raise Conflict(
        f"there is no free port at {host}",
        next_step="Remove VMs that are not needed, and check that it is an address of this machine.",
    )


def address_of(host: str, port: int) -> str:
    """`host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
