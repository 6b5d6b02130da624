"""What the agent is told by its environment.

Source: cocos-grpc.md section 5.1. The names from `AGENT_LISTEN` on are of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prism_iac.agent.server._allowance import DataLimits
from prism_iac.agent.server.sources import SourceSettings
from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import LogLevel, address_of, nearest

__all__ = ["Endpoint", "RunLimits", "Settings"]

_SIMULATED: Final = "simulated-sev-snp"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, an IPv6 host in brackets."""
        return address_of(self.host, self.port)

    @property
    def is_reachable_as_written(self) -> bool:
        """Whether others can use this address; `0.0.0.0` and `::` name no machine."""
        return self.host not in ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What an algorithm may use; None means no limit.

    Attributes:
        memory_bytes: Private memory of each process.
        processes: Processes and threads of all its processes together.
        run_seconds: Time from the start of its preparation to its end.
    """

    memory_bytes: int | None = None
    processes: int | None = None
    run_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The agent's settings.

    Attributes:
        control_url: The gRPC target of the control stream.
        cvm_id: The VM's id at Prism; empty when it was given none.
        client_certificate: PEM file; None when the control stream has no client certificate.
        client_key: PEM file, beside `client_certificate`.
        server_ca: PEM file that verifies the control stream's server; None for the system's roots.
        listen: Where participants connect.
        public_address: What Prism tells participants of that, `host:port`; None for `listen` as it is.
        state_folder: Where undelivered messages and the result are kept.
        platform_folder: The simulated platform's keys; None when the VM has no platform.
        evidence_at: Where the VM's keeper asks for evidence at any time, a socket or an address; None when there
            is no such place.
        data_limits: What participants may send, and how large a result may be.
        sources: What may be fetched from elsewhere.
    """

    log_level: LogLevel
    control_url: str
    cvm_id: str
    client_certificate: Path | None
    client_key: Path | None
    server_ca: Path | None
    listen: Endpoint
    state_folder: Path
    platform_folder: Path | None
    limits: RunLimits
    data_limits: DataLimits = field(default_factory=DataLimits)
    evidence_at: Path | Endpoint | None = None
    public_address: str | None = None
    sources: SourceSettings = field(default_factory=SourceSettings)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; an empty variable counts as absent.

        Raises:
            InvalidInput: Variables are malformed or do not fit together; it names each.
        """
        return _Reader(environment).settings()


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._findings: list[Finding] = []

    def settings(self) -> Settings:
        settings = Settings(
            log_level=self._log_level("AGENT_LOG_LEVEL"),
            control_url=self._text("AGENT_CVM_GRPC_URL", "localhost:7001"),
            cvm_id=self._text("AGENT_CVM_ID", ""),
            client_certificate=self._path("AGENT_CVM_GRPC_CLIENT_CERT"),
            client_key=self._path("AGENT_CVM_GRPC_CLIENT_KEY"),
            server_ca=self._path("AGENT_CVM_GRPC_SERVER_CA_CERTS"),
            listen=self._endpoint("AGENT_LISTEN", "0.0.0.0:7002"),
            state_folder=Path(self._text("AGENT_STATE_DIR", "/var/lib/cocos/agent")),
            platform_folder=self._platform_folder(),
            limits=RunLimits(
                memory_bytes=self._limit("AGENT_LIMIT_MEMORY_MIB", 1 << 20),
                processes=self._limit("AGENT_LIMIT_PROCESSES"),
                run_seconds=self._limit("AGENT_LIMIT_RUN_SECONDS"),
            ),
            data_limits=self._data_limits(),
            evidence_at=self._evidence_at(),
            public_address=self._text("AGENT_PUBLIC_ADDRESS", "") or None,
            sources=self._sources(),
        )
        if (settings.client_certificate is None) is not (settings.client_key is None):
            self._refuse(
                "AGENT_CVM_GRPC_CLIENT_KEY",
                "certificate and key come together",
                "Set both AGENT_CVM_GRPC_CLIENT_CERT and AGENT_CVM_GRPC_CLIENT_KEY, or neither.",
            )
        if self._findings:
            raise InvalidInput(self._findings)
        return settings

    def _refuse(self, name: str, message: str, fix: str) -> None:
        self._findings.append(Finding(path=name, message=message, fix=fix))

    def _text(self, name: str, default: str) -> str:
        return self._environment.get(name) or default

    def _path(self, name: str) -> Path | None:
        text = self._text(name, "")
        return Path(text) if text else None

    def _evidence_at(self) -> Path | Endpoint | None:
        if self._text("AGENT_EVIDENCE_LISTEN", ""):
            return self._endpoint("AGENT_EVIDENCE_LISTEN", "")
        return self._path("AGENT_EVIDENCE_SOCKET")

    def _log_level(self, name: str) -> LogLevel:
        text = self._text(name, LogLevel.DEBUG)
        try:
            return LogLevel(text.lower())
        except ValueError:
            self._refuse(name, f'there is no log level "{text}"', nearest(text, LogLevel))
            return LogLevel.DEBUG

    def _endpoint(self, name: str, default: str) -> Endpoint:
        text = self._text(name, default)
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
            self._refuse(name, f'"{text}" is not host:port', "Write it like 127.0.0.1:7002.")
            return Endpoint("", 0)
        return Endpoint(host.removeprefix("[").removesuffix("]"), int(port))

    def _limit(self, name: str, unit: int = 1) -> int | None:
        text = self._text(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            self._refuse(name, f'"{text}" is not a positive whole number', "Leave it out for the usual.")
            return None
        return int(text) * unit

    def _data_limits(self) -> DataLimits:
        usual = DataLimits()
        return DataLimits(
            upload_bytes=self._limit("AGENT_LIMIT_UPLOAD_MIB", 1 << 20) or usual.upload_bytes,
            total_bytes=self._limit("AGENT_LIMIT_DATA_MIB", 1 << 20) or usual.total_bytes,
            result_bytes=self._limit("AGENT_LIMIT_RESULT_MIB", 1 << 20) or usual.result_bytes,
            archive_files=self._limit("AGENT_LIMIT_ARCHIVE_FILES") or usual.archive_files,
            archive_ratio=self._limit("AGENT_LIMIT_ARCHIVE_RATIO") or usual.archive_ratio,
        )

    def _sources(self) -> SourceSettings:
        try:
            return SourceSettings.from_environment(self._environment)
        except InvalidInput as error:
            self._findings += error.findings
            return SourceSettings()

    def _platform_folder(self) -> Path | None:
        platform = self._text("AGENT_PLATFORM", "")
        if not platform:
            return None
        if platform != _SIMULATED:
            self._refuse(
                "AGENT_PLATFORM", f'there is no platform "{platform}"', nearest(platform, [_SIMULATED])
            )
        folder = self._path("AGENT_PLATFORM_DIR")
        if folder is None:
            self._refuse("AGENT_PLATFORM_DIR", "the platform has no folder", "Name the folder with its keys.")
        return folder
