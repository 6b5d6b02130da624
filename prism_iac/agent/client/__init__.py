"""The participants' side: uploads to an agent, downloads from it, and the settings of the command-line tool.

Main entry: `AgentClient`. It is written blocking, because its users are commands and handlers that wait. Must not
import the server beside it; gRPC is imported when a connection is opened, so that importing this costs little.
"""

from prism_iac.agent.client._client import AgentClient
from prism_iac.agent.client._environment import AgentFiles, agent_environment
from prism_iac.agent.client._evidence import fetch_evidence
from prism_iac.agent.client._failures import (
    AgentFailed,
    AgentRefused,
    AgentUnproven,
    AgentUnreachable,
    ComputationFailed,
    ConnectionBroke,
    NotReady,
    SignatureRefused,
)
from prism_iac.agent.client._tls import ClientTls
from prism_iac.agent.client._upload import Progress

__all__ = [
    "AgentClient",
    "AgentFailed",
    "AgentFiles",
    "AgentRefused",
    "AgentUnproven",
    "AgentUnreachable",
    "ClientTls",
    "ComputationFailed",
    "ConnectionBroke",
    "NotReady",
    "Progress",
    "SignatureRefused",
    "agent_environment",
    "fetch_evidence",
]
