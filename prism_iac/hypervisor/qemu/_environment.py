"""What the agent in a guest is told, in the file that its first process reads.

Source: cocos-grpc.md sections 5.1 and 6.4; `AGENT_PUBLIC_ADDRESS` and the names after it are this package's own.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from prism_iac.hypervisor._vm import VmSpec
from prism_iac.hypervisor.qemu._arguments import EVIDENCE_PORT, GUEST_PORT

__all__ = ["guest_environment"]

_CERTIFICATES: Final = "/etc/certs"
_SHARED: Final = "/etc/cocos"
_HOST_AS_SEEN_BY_GUESTS: Final = "10.0.2.2"
"""This machine's loopback, on the user network of QEMU."""

_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104  # the guest's network is reached through forwarded ports only


def guest_environment(spec: VmSpec, *, address: str, is_simulated: bool) -> dict[str, str]:
    """The environment of the agent.

    Args:
        spec: The VM.
        address: Where participants reach the agent, `host:port` of this machine.
        is_simulated: Whether a simulated platform is handed over.
    """
    platform = {
        "AGENT_PLATFORM": "simulated-sev-snp",
        "AGENT_PLATFORM_DIR": f"{_SHARED}/platform",
        "AGENT_EVIDENCE_LISTEN": f"{_ANY_ADDRESS}:{EVIDENCE_PORT}",
    }
    return {
        "AGENT_LOG_LEVEL": spec.agent_log_level.value,
        "AGENT_CVM_GRPC_URL": _as_seen_by_guests(spec.control_address),
        "AGENT_CVM_ID": spec.id,
        "AGENT_CVM_GRPC_CLIENT_CERT": f"{_CERTIFICATES}/cert.pem",
        "AGENT_CVM_GRPC_CLIENT_KEY": f"{_CERTIFICATES}/key.pem",
        "AGENT_CVM_GRPC_SERVER_CA_CERTS": f"{_CERTIFICATES}/ca.pem",
        "AGENT_LISTEN": f"{_ANY_ADDRESS}:{GUEST_PORT}",
        "AGENT_PUBLIC_ADDRESS": address,
    } | (platform if is_simulated else {})


def _as_seen_by_guests(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{_HOST_AS_SEEN_BY_GUESTS}:{port}" if _is_loopback(host) else address


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return host == "localhost"
