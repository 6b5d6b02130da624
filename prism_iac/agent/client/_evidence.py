"""Fresh evidence from an agent of this machine, at any time of its life."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from prism_iac.agent._socket import socket_target
from prism_iac.agent.client._client import AgentClient
from prism_iac.agent.client._failures import AgentUnreachable
from prism_iac.agent.client._tls import ClientTls

__all__ = ["fetch_evidence"]


def fetch_evidence(place: Path | str, *, nonce: bytes, timeout_seconds: float) -> bytes:
    """Evidence that holds a nonce; it is not verified here.

    Args:
        place: Where the agent gives evidence: the path of a socket, or `host:port`.
        nonce: 1 to 32 bytes.
        timeout_seconds: How long to wait for it.

    Raises:
        AgentUnreachable: There is no such agent, or it does not answer in time.
        AgentRefused: It has no evidence to give.
        AgentFailed: What came is not what was announced.
    """
    try:
        where = socket_target(place) if isinstance(place, Path) else nullcontext(place)
        with where as target, AgentClient.connect(target, tls=ClientTls()) as agent:
            return agent.fetch_attestation(tee_nonce=nonce, timeout_seconds=timeout_seconds)
    except OSError as error:
        raise AgentUnreachable(
            f"there is no agent: {error.strerror}",
            code="UNAVAILABLE",
            agent_text="",
            where=str(place),
            next_step="Look whether the VM runs with `prism-iac vms list`.",
        ) from error
