"""Computations, their dry runs and statistics (prism-rest.md section 3.3)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, WithJsonSchema, model_validator

from prism_iac.backend.records.fields import Body, LongText, Name, OptionalText, Record, Time
from prism_iac.backend.records.roles import RoleRecord
from prism_iac.backend.store.computations import Computation
from prism_iac.model import AGENT_TLS_FIELDS, LevelText, tls_mode_of

__all__ = [
    "AgentConfigBody",
    "AgentConfigRecord",
    "ComputationBody",
    "ComputationDetails",
    "ComputationItem",
    "ComputationPage",
    "ComputationRecord",
    "ComputationStatistics",
    "DayStatistics",
    "DryRun",
    "KeyBody",
    "KeyCheck",
    "MissingItems",
    "agent_config_record",
    "computation_item",
    "computation_record",
]

LogLevelText = Annotated[
    LevelText | Annotated[str, Field(max_length=0)],
    WithJsonSchema({"type": "string", "pattern": "(?i)^(debug|info|warn|warning|error)?$"}),
]
"""A level in any case, or the empty text for the CVM's own (D29)."""


class AgentConfigBody(Body):
    """How the agent logs and is secured; the TLS mode follows from what is set (D28)."""

    log_level: LogLevelText = ""
    cert_file: OptionalText = ""
    server_key: Annotated[OptionalText, Field(repr=False)] = ""
    server_ca_file: OptionalText = ""
    client_ca_file: OptionalText = ""
    attested_tls: StrictBool = False

    @model_validator(mode="after")
    def _is_some_tls_mode(self) -> Self:
        present = [name for name in AGENT_TLS_FIELDS if getattr(self, name)]
        if tls_mode_of(present, attested=self.attested_tls) is None:
            files = ", ".join(present) or "no files"
            raise ValueError(f"{files} with attested_tls {str(self.attested_tls).lower()} is no TLS mode")
        return self

    def columns(self) -> dict[str, Any]:
        """The values as they are stored."""
        return {**self.model_dump(), "log_level": str(self.log_level)}


class ComputationBody(Body):
    """A computation as it is created or replaced."""

    name: Name
    description: LongText
    owner: OptionalText = ""
    agent_config: AgentConfigBody | None = None


class AgentConfigRecord(Record):
    """How the agent logs and is secured; `server_key` is empty for whoever may not edit (D14)."""

    log_level: str
    cert_file: str
    server_key: str = Field(repr=False)
    server_ca_file: str
    client_ca_file: str
    attested_tls: bool


class ComputationItem(Record):
    """A computation in a list, or at a peek (D15)."""

    id: str
    name: str
    description: str
    owner: str
    status: str
    created_at: Time


class ComputationRecord(ComputationItem):
    """A computation."""

    start_time: Time
    end_time: Time
    agent_config: AgentConfigRecord


class ComputationDetails(ComputationItem):
    """A computation in a list, with what `include` asked for; null what the caller may not see."""

    agent_config: AgentConfigRecord | None = None
    manifest: dict[str, Any] | None = None
    roles: list[RoleRecord] | None = None


class ComputationPage(Record):
    """Some computations."""

    computations: list[ComputationDetails | ComputationItem]
    total: int
    limit: int
    offset: int


class KeyBody(Body):
    """A participant's public key: base64 of PEM or DER, or PEM itself (D22)."""

    key: Annotated[str, Field(max_length=65_536)]


class KeyCheck(Record):
    """Whether the caller's key is here (D23)."""

    uploaded: bool


class MissingItems(Record):
    """What a run would lack (D21).

    `keys` are user ids, `hashes` file names or ids of assets, `info` sentences.
    """

    keys: list[str]
    hashes: list[str]
    info: list[str]


class DryRun(Record):
    """What a run would lack."""

    missing_items: MissingItems


class DayStatistics(Record):
    """How many runs of one status began on one day."""

    day: str
    status: str
    count: int


class ComputationStatistics(Record):
    """Runs by day and status."""

    comp_stats: list[DayStatistics]


def agent_config_record(computation: Computation, *, with_key: bool) -> AgentConfigRecord:
    """The record of a computation's agent configuration."""
    return AgentConfigRecord(
        log_level=computation.log_level,
        cert_file=computation.cert_file,
        server_key=computation.server_key if with_key else "",
        server_ca_file=computation.server_ca_file,
        client_ca_file=computation.client_ca_file,
        attested_tls=computation.attested_tls,
    )


def computation_item(computation: Computation) -> ComputationItem:
    """The record of a computation as lists show it."""
    return ComputationItem(**_item(computation))


def computation_record(computation: Computation, *, with_key: bool) -> ComputationRecord:
    """The whole record of a computation."""
    return ComputationRecord(
        **_item(computation),
        start_time=computation.start_time,
        end_time=computation.end_time,
        agent_config=agent_config_record(computation, with_key=with_key),
    )


def _item(computation: Computation) -> dict[str, Any]:
    return {
        "id": computation.id,
        "name": computation.name,
        "description": computation.description,
        "owner": computation.owner,
        "status": computation.status,
        "created_at": computation.created_at,
    }
