"""How a participant and an agent know each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prism_iac.agent._socket import SOCKET_SCHEME
from prism_iac.agent.client._address import host_and_port
from prism_iac.errors import Finding, InvalidInput, PrismError
from prism_iac.model import TlsMode

if TYPE_CHECKING:
    import grpc

    from prism_iac.agent._required import RequiredEvidence
    from prism_iac.agent.client._tunnel import Tunnel

__all__ = ["ClientTls", "Line", "open_line"]

_NEEDED: Final[dict[TlsMode, tuple[str, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: ("server_ca",),
    TlsMode.MTLS: ("server_ca", "client_certificate", "client_key"),
    TlsMode.ATLS: ("required_evidence",),
    TlsMode.MATLS: ("server_ca", "client_certificate", "client_key", "required_evidence"),
}

_FIXES: Final = {"required_evidence": "Give the attestation policy that the VM must meet."}

_OPTIONS: Final = (
    # A connection that failed is tried again soon: agents open their port when their manifest arrives.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """A TLS mode and its files on the participant's side (prism-rest.md section 5.5).

    Attributes:
        server_ca: PEM; verifies the agent. In the mode atls it may be left out: the evidence counts alone then.
        client_certificate: PEM; shown to the agent.
        client_key: PEM; not printed.
        required_evidence: What the agent must prove of its VM.
    """

    mode: TlsMode = TlsMode.NONE
    server_ca: bytes | None = None
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    required_evidence: RequiredEvidence | None = None

    def __post_init__(self) -> None:
        """Check that the mode has its files.

        Raises:
            InvalidInput: A file is missing.
        """
        missing = [name for name in _NEEDED[self.mode] if not getattr(self, name)]
        if missing:
            raise InvalidInput(
                Finding(
                    path=name,
                    message=f"the TLS mode {self.mode} needs it",
                    fix=_FIXES.get(name, "Give the PEM file from the computation's certificate bundle."),
                )
                for name in missing
            )


@dataclass(frozen=True, slots=True)
class Line:
    """A channel to an agent, and the tunnel that it goes through in an attested mode."""

    channel: grpc.Channel
    tunnel: Tunnel | None = None

    @property
    def failure(self) -> PrismError | None:
        """Why the tunnel did not lead to the agent, where it did not."""
        return self.tunnel.failure if self.tunnel else None

    def close(self) -> None:
        """Give the connection up."""
        self.channel.close()
        if self.tunnel is not None:
            self.tunnel.close()


def open_line(address: str, tls: ClientTls) -> Line:
    """A line to an agent; nothing goes over the wire yet.

    This is the one place where a participant decides whom to talk to: in an attested mode the channel leads
    into a tunnel that lets nothing through before the agent has proven itself.

    Raises:
        InvalidInput: A file cannot be read, or the address is neither `host:port` nor a socket.
        Conflict: The tunnel has no place on this machine.
    """
    import grpc

    if not address.startswith(SOCKET_SCHEME):
        host_and_port(address)
    if tls.mode.is_attested:
        from prism_iac.agent.client._tunnel import Tunnel

        tunnel = Tunnel(address, tls)
        options = (*_OPTIONS, ("grpc.default_authority", address))
        return Line(grpc.insecure_channel(tunnel.target, options=options), tunnel)
    if tls.mode is TlsMode.NONE:
        return Line(grpc.insecure_channel(address, options=_OPTIONS))
    credentials = grpc.ssl_channel_credentials(
        root_certificates=tls.server_ca,
        private_key=tls.client_key if tls.mode is TlsMode.MTLS else None,
        certificate_chain=tls.client_certificate if tls.mode is TlsMode.MTLS else None,
    )
    return Line(grpc.secure_channel(address, credentials, options=_OPTIONS))
