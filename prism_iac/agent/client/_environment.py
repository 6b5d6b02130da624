"""The variables with which `cocos-cli` reaches an agent.

Source: prism-rest.md section 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import TlsMode

__all__ = ["AgentFiles", "agent_environment"]


@dataclass(frozen=True, slots=True)
class AgentFiles:
    """Where a participant's files lie; those that the TLS mode does not use may be left out."""

    server_ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    attestation_policy: Path | None = None


_VARIABLES: Final = {
    "server_ca": "AGENT_GRPC_SERVER_CA_CERTS",
    "client_certificate": "AGENT_GRPC_CLIENT_CERT",
    "client_key": "AGENT_GRPC_CLIENT_KEY",
    "attestation_policy": "AGENT_GRPC_ATTESTATION_POLICY",
}

_NEEDED: Final[dict[TlsMode, tuple[str, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: ("server_ca",),
    TlsMode.MTLS: ("server_ca", "client_certificate", "client_key"),
    TlsMode.ATLS: ("attestation_policy",),
    TlsMode.MATLS: ("server_ca", "client_certificate", "client_key", "attestation_policy"),
}

_OPTIONAL: Final[dict[TlsMode, tuple[str, ...]]] = {TlsMode.ATLS: ("server_ca",)}


def agent_environment(address: str, mode: TlsMode, files: AgentFiles) -> dict[str, str]:
    """The `AGENT_GRPC_*` variables for one agent.

    Args:
        address: `host:port`, with or without a scheme.
        mode: The computation's TLS mode.
        files: Those that the mode does not use are passed over.

    Raises:
        InvalidInput: The mode needs a file that is not given; it names each.
    """
    missing = [name for name in _NEEDED[mode] if getattr(files, name) is None]
    if missing:
        raise InvalidInput(
            Finding(
                path=name,
                message=f"the TLS mode {mode} needs it for {_VARIABLES[name]}",
                fix="Name the file.",
            )
            for name in missing
        )
    variables = {"AGENT_GRPC_URL": address.rpartition("://")[2]}
    for name in (*_NEEDED[mode], *_OPTIONAL.get(mode, ())):
        path: Path | None = getattr(files, name)
        if path is not None:
            variables[_VARIABLES[name]] = str(path)
    if mode.is_attested:
        variables["AGENT_GRPC_ATTESTED_TLS"] = "true"
    return variables
