"""What the agent's environment says of sources.

The AWS names are those of every S3 client, which a manager hands over (cocos-grpc.md section 1.3); the names that
begin with `AGENT_` are of this package.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from prism_iac.errors import Finding, InvalidInput

__all__ = ["AwsAccess", "Network", "SourceSettings"]

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How S3 is asked; without a key it is asked anonymously.

    Attributes:
        endpoint: The base URL of a store that speaks S3; empty for that of Amazon.
    """

    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    endpoint: str = ""
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Bounds of what is fetched, and where from.

    Attributes:
        gcs_endpoint: The base URL of a store that speaks as Google Cloud Storage does.
        networks: Networks that are fetched from though they are of this machine or link-local.
        size_bytes: The most that one source may have, fetched, decompressed or decrypted.
        seconds: The most that fetching one source may take.
        stall_seconds: How long a peer may be silent.
    """

    aws: AwsAccess = AwsAccess()
    gcs_endpoint: str = "https://storage.googleapis.com"
    networks: tuple[Network, ...] = ()
    size_bytes: int = 16384 * _MIB
    seconds: float = 3600
    stall_seconds: float = 30

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> SourceSettings:
        """Read the settings; an empty variable counts as absent.

        Raises:
            InvalidInput: A variable is malformed.
        """
        usual = cls()
        return cls(
            aws=AwsAccess(
                access_key_id=environment.get("AWS_ACCESS_KEY_ID", ""),
                secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", ""),
                session_token=environment.get("AWS_SESSION_TOKEN", ""),
                endpoint=environment.get("AWS_ENDPOINT_URL", "").rstrip("/"),
                region=environment.get("AWS_REGION") or usual.aws.region,
            ),
            gcs_endpoint=environment.get("AGENT_SOURCE_GCS_URL", "").rstrip("/") or usual.gcs_endpoint,
            networks=_networks(environment, "AGENT_SOURCE_NETWORKS"),
            size_bytes=_count(environment, "AGENT_SOURCE_MIB", usual.size_bytes // _MIB) * _MIB,
            seconds=_count(environment, "AGENT_SOURCE_SECONDS", int(usual.seconds)),
            stall_seconds=_count(environment, "AGENT_SOURCE_STALL_SECONDS", int(usual.stall_seconds)),
        )


def _networks(environment: Mapping[str, str], name: str) -> tuple[Network, ...]:
    text = environment.get(name, "")
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise _malformed(
            name, f'"{text}" is no list of networks', "Write it like 127.0.0.0/8,::1/128."
        ) from error


def _count(environment: Mapping[str, str], name: str, usual: int) -> int:
    text = environment.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _malformed(
            name, f'"{text}" is not a positive whole number', "Leave it out for the usual bound."
        )
    return int(text)


def _malformed(name: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path=name, message=message, fix=fix)])
