"""How a participant and an agent know each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import TlsMode

if TYPE_CHECKING:
    import grpc

__all__ = ["ClientTls", "open_channel"]

_NEEDED: Final[dict[TlsMode, tuple[str, ...]]] = {
    TlsMode.NONE: (),
    TlsMode.TLS: ("server_ca",),
    TlsMode.MTLS: ("server_ca", "client_certificate", "client_key"),
}

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
        server_ca: PEM; verifies the agent.
        client_certificate: PEM; shown to the agent.
        client_key: PEM; not printed.
    """

    mode: TlsMode = TlsMode.NONE
    server_ca: bytes | None = None
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check that the mode has its files.

        Raises:
            InvalidInput: A file is missing.
        """
        missing = [name for name in _NEEDED.get(self.mode, ()) if not getattr(self, name)]
        if missing:
            raise InvalidInput(
                Finding(
                    path=name,
                    message=f"the TLS mode {self.mode} needs it",
                    fix="Give the PEM file from the computation's certificate bundle.",
                )
                for name in missing
            )


def open_channel(address: str, tls: ClientTls) -> grpc.Channel:
    """A channel to an agent; nothing goes over the wire yet.

    This is the one place where a participant decides whom to talk to: evidence of an attested mode has to be
    verified here, before the channel is given out.

    Raises:
        InvalidInput: The mode is an attested one.
    """
    import grpc

    if tls.mode.is_attested:
        raise InvalidInput(
            [
                Finding(
                    path="mode",
                    message=f"this client does not verify evidence in the handshake, as {tls.mode} needs",
                    fix="Use the TLS mode tls or mtls, or upload with cocos-cli.",
                )
            ]
        )
    if tls.mode is TlsMode.NONE:
        return grpc.insecure_channel(address, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=tls.server_ca,
        private_key=tls.client_key if tls.mode is TlsMode.MTLS else None,
        certificate_chain=tls.client_certificate if tls.mode is TlsMode.MTLS else None,
    )
    return grpc.secure_channel(address, credentials, options=_OPTIONS)
