"""How the participants' port is secured, from what the manifest says.

Source: cocos-grpc.md sections 4.1 (`agent_config`) and 9.1 (server identity); prism-rest.md section 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from prism_iac.agent.atls import fresh_pair
from prism_iac.errors import Finding, InvalidInput
from prism_iac.pki import check_certificate, load_certificates
from prism_iac.wire.cvms_pb2 import AgentConfig

__all__ = ["PortSecurity", "read_security"]

_TEXT_FROM_CHARACTERS: Final = 1000
"""A value as long as this is PEM text, not a path."""


@dataclass(frozen=True, slots=True)
class PortSecurity:
    """The TLS of a port.

    Attributes:
        certificate: PEM, the leaf first.
        key: PEM.
        client_ca: PEM; participants must show a certificate of this CA. None lets in all.
        is_attested: Evidence goes with every connection.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    is_attested: bool = False


def read_security(config: AgentConfig, *, has_platform: bool, now: datetime) -> PortSecurity | None:
    """The TLS that a manifest asks for; None for a plain port.

    Args:
        config: Each file is a path in the VM or the PEM text itself.
        has_platform: The VM can prove itself.
        now: The time, aware, for the certificate's dates.

    Raises:
        InvalidInput: A file is missing, cannot be read, or does not fit the others; or evidence is asked for,
            and there is none to be had.
    """
    if config.attested_tls and not has_platform:
        raise InvalidInput(
            [
                Finding(
                    path="agent_config.attested_tls",
                    message="this VM has no trusted execution environment, so it cannot prove itself",
                    fix="Run the computation on a confidential VM, or choose the TLS mode none, tls or mtls.",
                )
            ]
        )
    if not (config.attested_tls or config.cert_file or config.key_file or config.client_ca_file):
        return None
    findings = [*_missing(config)]
    if findings:
        raise InvalidInput(findings)
    certificate, key = _pair(config, now)
    security = PortSecurity(
        certificate=certificate,
        key=key,
        is_attested=config.attested_tls,
        client_ca=_text_of("client_ca_file", config.client_ca_file) if config.client_ca_file else None,
    )
    findings = [*_unfit(security, now)]
    if findings:
        raise InvalidInput(findings)
    return security


def _pair(config: AgentConfig, now: datetime) -> tuple[bytes, bytes]:
    """Certificate and key; an attested port that is given none makes its own, which its evidence vouches for."""
    if config.attested_tls and not config.cert_file:
        return fresh_pair(now)
    return _text_of("cert_file", config.cert_file), _text_of("key_file", config.key_file)


def _missing(config: AgentConfig) -> Iterator[Finding]:
    if config.attested_tls and not (config.cert_file or config.key_file):
        return
    for name in ("cert_file", "key_file"):
        if not getattr(config, name):
            yield Finding(
                path=f"agent_config.{name}",
                message="is missing; certificate and key come together",
                fix="Give both files, or none of the TLS files for the mode none.",
            )


def _unfit(security: PortSecurity, now: datetime) -> Iterator[Finding]:
    for finding in check_certificate(security.certificate, now=now, key_pem=security.key):
        yield Finding(path="agent_config.cert_file", message=finding.message, fix=finding.fix)
    if security.client_ca is not None:
        try:
            load_certificates(security.client_ca)
        except InvalidInput as error:
            for finding in error.findings:
                yield Finding(path="agent_config.client_ca_file", message=finding.message, fix=finding.fix)


def _text_of(name: str, value: str) -> bytes:
    if len(value) >= _TEXT_FROM_CHARACTERS or "\n" in value:
        return value.encode()
    try:
        return Path(value).read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidInput(
            [
                Finding(
                    path=f"agent_config.{name}",
                    message="is a path in the VM that cannot be read",
                    fix="Give the PEM text itself.",
                )
            ]
        ) from error
