"""What the agent of a VM is told by its environment.

Source: cocos-grpc.md section 5.1 and 6.4; the names from `AGENT_LISTEN` on are this package's own. Of the
environment of whoever starts the VM, these are handed on: the search path, how the machine reaches package
indexes, which the agent gives to the installer of an algorithm's requirements, and what the agent needs to fetch
remote sources, which it gives to nobody.
"""

from __future__ import annotations

import os
from typing import Final

from prism_iac.hypervisor._folder import VmFolder
from prism_iac.hypervisor._vm import VmSpec
from prism_iac.model import parse_duration

__all__ = ["SECRETS", "agent_environment"]

_NETWORK_SETTINGS: Final = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "AGENT_SOURCE_")
_OF_BUCKETS: Final = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID")
SECRETS: Final = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
"""The variables that are told to the agent and written down nowhere."""


def agent_environment(spec: VmSpec, folder: VmFolder, address: str) -> dict[str, str]:
    """All of the environment of a VM's process.

    Args:
        spec: The VM.
        folder: Its files.
        address: Where participants reach the agent, `host:port`.
    """
    network = {
        name: value
        for name, value in os.environ.items()
        if name.upper().startswith(_NETWORK_SETTINGS) or name in _OF_BUCKETS or name in SECRETS
    }
    return network | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder.path),
        "LANG": "C.UTF-8",
        "AGENT_LOG_LEVEL": spec.agent_log_level.value,
        "AGENT_CVM_GRPC_URL": spec.control_address,
        "AGENT_CVM_ID": spec.id,
        **_control_files(spec, folder),
        "AGENT_LISTEN": address,
        "AGENT_STATE_DIR": str(folder.path),
        "AGENT_PLATFORM": "simulated-sev-snp",
        "AGENT_PLATFORM_DIR": str(folder.platform),
        "AGENT_EVIDENCE_SOCKET": str(folder.evidence_socket),
        "AGENT_LIMIT_MEMORY_MIB": str(spec.limits.memory_mib),
        "AGENT_LIMIT_PROCESSES": str(spec.limits.processes),
        "AGENT_LIMIT_RUN_SECONDS": str(int(parse_duration(spec.limits.run_time).total_seconds())),
    }


def _control_files(spec: VmSpec, folder: VmFolder) -> dict[str, str]:
    """Those that the VM was given: without any, the agent dials in clear."""
    files = {
        "AGENT_CVM_GRPC_CLIENT_CERT": (spec.client_certificate, folder.certificate),
        "AGENT_CVM_GRPC_CLIENT_KEY": (spec.client_key, folder.key),
        "AGENT_CVM_GRPC_SERVER_CA_CERTS": (spec.control_ca, folder.ca),
    }
    return {name: str(path) for name, (content, path) in files.items() if content}
