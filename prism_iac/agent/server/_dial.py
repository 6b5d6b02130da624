"""How the agent reaches Prism.

Source: cocos-grpc.md section 5.2: no files, a CA, a certificate and its key, or all three.
"""

from __future__ import annotations

from pathlib import Path

import grpc

from prism_iac.agent.server._settings import Settings
from prism_iac.errors import Finding, InvalidInput

__all__ = ["open_control_channel"]

_OPTIONS = (
    # A channel of its own for each attempt, else a failed attempt slows the next one down.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    # A peer that vanished without a word is noticed; servers take no more than one ping in five minutes.
    ("grpc.keepalive_time_ms", 6 * 60 * 1000),
    ("grpc.keepalive_timeout_ms", 20 * 1000),
)


def open_control_channel(settings: Settings) -> grpc.aio.Channel:
    """A channel to the control stream's server; plain when the settings name no files.

    The files are read each time, so a renewed certificate is used from the next connection on.

    Raises:
        InvalidInput: A file cannot be read.
    """
    if settings.server_ca is None and settings.client_certificate is None:
        return grpc.aio.insecure_channel(settings.control_url, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(settings.server_ca),
        private_key=_read(settings.client_key),
        certificate_chain=_read(settings.client_certificate),
    )
    return grpc.aio.secure_channel(settings.control_url, credentials, options=_OPTIONS)


def _read(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(
            [Finding(file=str(file), line=1, column=1, message=f"cannot be read: {error.strerror}")]
        ) from error
