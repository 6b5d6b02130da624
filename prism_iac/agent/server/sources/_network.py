"""Connects to addresses that a manifest may make the agent talk to, and to no others.

An agent that fetches whatever it is told could be made to ask what is reachable from its VM alone: the metadata
service of a cloud (169.254.169.254), services on loopback such as the one that gives out attestation tokens. So
the address is looked at when the connection is made, after the name was resolved and once for each redirect;
what is connected to is the very address that was looked at. Private networks are allowed: that is where stores of
data are.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import httpcore
import httpx

from prism_iac.agent.server.sources._settings import Network, SourceSettings

__all__ = ["GuardedTransport", "is_allowed"]

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA: Final[frozenset[_Address]] = frozenset(
    {
        ipaddress.ip_address("fd00:ec2::254"),  # Amazon's, over IPv6
        ipaddress.ip_address("100.100.100.200"),  # Alibaba's
        ipaddress.ip_address("168.63.129.16"),  # Azure's agent of a VM
    }
)
"""Services of clouds that are at no link-local address."""


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether sources may be at an address.

    Args:
        address: An IP address as text.
        networks: Those that are allowed whatever they are.
    """
    found = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if any(found in network for network in networks):
        return True
    return not (
        found in _METADATA
        or found.is_loopback
        or found.is_link_local
        or found.is_multicast
        or found.is_unspecified
        or found.is_reserved
    )


def _plain(address: _Address) -> _Address:
    """An IPv4 address where one is written as IPv6 (RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or nat64 or address


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._usual = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface's own parameter
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers; all must be allowed."""
        problem: Exception = httpcore.ConnectError(f"{host} has no address")
        addresses = await _resolve(host, port)
        for address in addresses:
            if not is_allowed(address, self._networks):
                raise httpcore.ConnectError(
                    f"{host} is at {address}, which is of this machine or of the network's own services"
                )
        for address in addresses:
            try:
                return await self._usual.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface's own parameter
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no URL names a socket."""
        del path, timeout, socket_options
        raise httpcore.ConnectError("no source is at a socket")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """The transport of httpx, over connections to allowed addresses; no proxy, which would resolve names itself."""

    def __init__(self, settings: SourceSettings) -> None:
        # The base class builds a pool of its own, without a way to give it a network.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=_GuardedNetwork(settings.networks),
        )
