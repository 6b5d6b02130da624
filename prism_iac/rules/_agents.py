"""Rules about agents: how they are reached, and what they log."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.model import AGENT_TLS_FIELDS, LogLevel, TlsMode
from prism_iac.model.stack import ComputationEntry, StackFile
from prism_iac.rules._rule import Breach, Parameters

__all__ = ["attested_agents", "encrypted_agents", "known_clients", "quiet_logs"]

_KNOWS_CLIENTS = frozenset({TlsMode.MTLS, TlsMode.MATLS})


def encrypted_agents(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Agents that are reached in clear."""
    for name, computation in file.computations.items():
        if _mode(file, computation) is TlsMode.NONE:
            yield Breach(
                ("computations", name, "agent", "tls"),
                "the agent is reached without TLS",
                "Say `tls: matls`, and name `certificates:`.",
            )


def attested_agents(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Agents whose connection is not bound to evidence."""
    for name, computation in file.computations.items():
        mode = _mode(file, computation)
        if mode not in (None, TlsMode.NONE) and not mode.is_attested:
            yield Breach(
                ("computations", name, "agent", "tls"),
                f"with {mode} a connection proves nothing of the VM that it ends in",
                "Say `tls: matls` or `tls: atls`, and name an `attestation_policy:`.",
            )


def known_clients(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Agents that let everybody connect."""
    for name, computation in file.computations.items():
        mode = _mode(file, computation)
        if mode not in (None, TlsMode.NONE) and mode not in _KNOWS_CLIENTS:
            yield Breach(
                ("computations", name, "agent", "tls"),
                f"with {mode} participants show no certificate",
                "Say `tls: matls` or `tls: mtls`.",
            )


def quiet_logs(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Agents that log what helps developers, and tells of data."""
    for name, computation in file.computations.items():
        if computation.agent.log_level is LogLevel.DEBUG:
            yield Breach(
                ("computations", name, "agent", "log_level"),
                "the agent logs at the level debug",
                "Say `log_level: info`, or leave it out.",
            )
    for name, vm in file.vms.items():
        if vm.agent_log_level is LogLevel.DEBUG:
            yield Breach(
                ("vms", name, "agent_log_level"),
                "the agent logs at the level debug",
                "Say `agent_log_level: info`, or leave it out.",
            )


def _mode(file: StackFile, computation: ComputationEntry) -> TlsMode | None:
    """The TLS mode of an agent; None where only the files that it names tell."""
    agent = computation.agent
    if agent.tls is not None:
        return agent.tls
    if agent.certificates is not None:
        bundle = file.certificates.get(agent.certificates)
        return bundle.mode if bundle else None
    has_files = any(getattr(agent, field) is not None for field in AGENT_TLS_FIELDS)
    return None if has_files else TlsMode.NONE
