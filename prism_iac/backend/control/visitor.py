"""What a new stream shows of itself before its first message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import grpc

__all__ = ["Visitor", "visitor_of"]

_AGENT_PORT: Final = 7002
_ADDRESS: Final = re.compile(r"[^\s\x00]{1,250}:\d{1,5}")
_LOG_FORWARDER: Final = "log-forwarder"


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a new stream shows of itself.

    Attributes:
        serial: Of the client certificate, decimal; empty where there is none.
        names: The URIs in the certificate.
        job_id: The metadata `job-id`; empty where there is none.
        agent_url: Where participants reach the agent: what it says itself in the metadata `agent-address`,
            else the usual port of the peer's host.
        takes_commands: Whether it is an agent's own stream, not its log forwarder's.
    """

    serial: str
    names: frozenset[str]
    job_id: str = ""
    agent_url: str = ""
    takes_commands: bool = True

    @property
    def is_certified(self) -> bool:
        """Whether a certificate says who it is, and not its word."""
        return bool(self.serial)


def visitor_of(context: grpc.aio.ServicerContext[Any, Any]) -> Visitor:
    """What the peer of a call shows of itself; the TLS layer has verified the certificate, if there is one."""
    shown = [*context.auth_context().get("x509_pem_cert", ())]
    serial, names = _certified(shown[0]) if shown else ("", frozenset())
    metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
    told = metadata.get("agent-address", "")
    return Visitor(
        serial=serial,
        names=names,
        job_id=metadata.get("job-id", ""),
        agent_url=told if _ADDRESS.fullmatch(told) else f"{_host_of(context.peer())}:{_AGENT_PORT}",
        takes_commands=metadata.get("connection-type") != _LOG_FORWARDER,
    )


def _certified(pem: bytes) -> tuple[str, frozenset[str]]:
    """Serial number and URIs of a certificate."""
    from cryptography import x509

    from prism_iac.pki import load_certificates

    certificate = load_certificates(pem)[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = frozenset(names.get_values_for_type(x509.UniformResourceIdentifier))
    except x509.ExtensionNotFound:
        uris = frozenset()
    return str(certificate.serial_number), uris


def _host_of(peer: str) -> str:
    """The host in gRPC's name of a peer, such as `ipv4:127.0.0.1:40412`."""
    _, _, address = unquote(peer).partition(":")
    return address.rpartition(":")[0]
