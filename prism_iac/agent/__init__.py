"""The agent that runs inside a VM, and the participants' client of one.

Main entries: `AgentClient` for participants, `agent_environment` for the command-line tool, and
`python -m prism_iac.agent` for the agent itself (`prism_iac.agent.server`, imported by nothing else). Uses
`pki`, `attestation`, `model` and `wire`; must not import `backend`, `prism`, `hypervisor` or what is above them.
"""

from prism_iac.agent._protocol import AlgorithmKind, EvidenceType, Refusal
from prism_iac.agent._required import EvidencePlace, RequiredEvidence
from prism_iac.agent.client import (
    AgentClient,
    AgentFailed,
    AgentFiles,
    AgentRefused,
    AgentUnproven,
    AgentUnreachable,
    ClientTls,
    ComputationFailed,
    ConnectionBroke,
    NotReady,
    Progress,
    SignatureRefused,
    agent_environment,
    fetch_evidence,
)

__all__ = [
    "AgentClient",
    "AgentFailed",
    "AgentFiles",
    "AgentRefused",
    "AgentUnproven",
    "AgentUnreachable",
    "AlgorithmKind",
    "ClientTls",
    "ComputationFailed",
    "ConnectionBroke",
    "EvidencePlace",
    "EvidenceType",
    "NotReady",
    "Progress",
    "Refusal",
    "RequiredEvidence",
    "SignatureRefused",
    "agent_environment",
    "fetch_evidence",
]
