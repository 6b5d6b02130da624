"""Computations and what a run of one misses (prism-rest.md sections 3.3, D13, D14, D21, D27 to D29)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from prism_iac.model import AGENT_TLS_FIELDS, ComputationStatus, LogLevel, TlsMode, tls_mode_of
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed
from prism_iac.prism.records._people import RoleRecord
from prism_iac.prism.records._words import LEVEL_WORDS, STATUS_WORDS

__all__ = [
    "AgentConfigRecord",
    "ComputationRecord",
    "DryRun",
    "RunStatistic",
    "parse_object",
]


@dataclass(frozen=True, slots=True)
class AgentConfigRecord:
    """How an agent logs and is secured, as it stands on the wire (section 3.3).

    Attributes:
        log_level: None means that of the VM (D29).
        cert_file: PEM text, as the other three; empty when not set (D27).
        server_key: Empty also when the user may not see it (D14).
    """

    log_level: LogLevel | None = None
    cert_file: str = ""
    server_key: str = field(default="", repr=False)
    server_ca_file: str = ""
    client_ca_file: str = ""
    attested_tls: bool = False

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read an agent configuration."""
        fields = Fields(document, "an agent configuration")
        return cls(
            log_level=fields.choice(LogLevel, "log_level", aliases=LEVEL_WORDS),
            attested_tls=fields.flag("attested_tls"),
            **{name: fields.text(name) for name in AGENT_TLS_FIELDS},
        )

    @property
    def tls_mode(self) -> TlsMode | None:
        """The mode that the files mean; None when they mean none (D28).

        Whoever may not edit a computation is shown no key; Prism keeps no certificate without one.
        """
        hidden = {"server_key"} if self.cert_file else set()
        return tls_mode_of(hidden.union(self.files), attested=self.attested_tls)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the PEM fields that are set."""
        return tuple(name for name in AGENT_TLS_FIELDS if getattr(self, name))

    def to_json(self) -> dict[str, Any]:
        """All six fields, as the documented sample carries them."""
        return {
            "log_level": self.log_level or "",
            **{name: getattr(self, name) for name in AGENT_TLS_FIELDS},
            "attested_tls": self.attested_tls,
        }


@dataclass(frozen=True, slots=True)
class ComputationRecord:
    """A computation (section 3.3).

    Attributes:
        agent_config: None in lists, unless asked for.
        manifest: The runtime manifest; None unless asked for in a list, and while it is incomplete.
        roles: None unless asked for in a list.
    """

    id: str
    name: str
    description: str
    owner: str
    status: ComputationStatus | None
    created_at: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    agent_config: AgentConfigRecord | None = None
    manifest: Mapping[str, Any] | None = field(default=None, hash=False)
    roles: tuple[RoleRecord, ...] | None = None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a computation."""
        fields = Fields(document, "a computation")
        return cls(
            id=fields.identity("id"),
            name=fields.text("name"),
            description=fields.text("description"),
            owner=fields.text("owner"),
            status=fields.choice(ComputationStatus, "status", aliases=STATUS_WORDS),
            created_at=fields.time("created_at"),
            start_time=fields.time("start_time"),
            end_time=fields.time("end_time"),
            agent_config=fields.nested(AgentConfigRecord.parse, "agent_config"),
            manifest=fields.nested(parse_object, "manifest"),
            roles=None if fields.raw("roles") is None else fields.items(RoleRecord.parse, "roles"),
        )


def parse_object(document: object) -> Mapping[str, Any]:
    """A JSON object whose content the room does not look into."""
    if not isinstance(document, Mapping):
        raise Malformed("the document is not a JSON object")
    return document


@dataclass(frozen=True, slots=True)
class DryRun:
    """What is missing for a run (D21).

    Attributes:
        keys: The users who have registered no public key.
        hashes: The assets without checksum or link.
        info: A sentence for everything else.
    """

    keys: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    info: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a dry run, with or without its wrapper."""
        fields = Fields(document, "a dry run")
        items = Fields(fields.raw("missing_items") or document, "what a run misses")
        return cls(items.texts("keys"), items.texts("hashes"), items.texts("info"))

    @property
    def is_ready(self) -> bool:
        """Whether nothing is missing."""
        return not (self.keys or self.hashes or self.info)


@dataclass(frozen=True, slots=True)
class RunStatistic:
    """How many computations had a status on a day (D24)."""

    day: date
    status: ComputationStatus | None
    count: int

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read one count."""
        fields = Fields(document, "a statistic")
        try:
            day = date.fromisoformat(fields.identity("day"))
        except ValueError as error:
            raise Malformed('the field "day" of a statistic is not a date') from error
        return cls(
            day=day,
            status=fields.choice(ComputationStatus, "status", aliases=STATUS_WORDS),
            count=fields.whole("count") or 0,
        )
