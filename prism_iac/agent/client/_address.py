"""Where an agent is."""

from __future__ import annotations

from prism_iac.errors import Finding, InvalidInput

__all__ = ["host_and_port"]


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of `host:port`; an IPv6 host without its brackets.

    Raises:
        InvalidInput: It is something else. gRPC would take another port for one that is missing.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise InvalidInput(
            [
                Finding(
                    path="address",
                    message=f'"{address}" is not host:port',
                    fix="Write it like 192.0.2.7:7002.",
                )
            ]
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
