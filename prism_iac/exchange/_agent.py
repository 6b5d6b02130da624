"""How an agent is secured, as both JSON layouts and the CSV have it (prism-rest.md 3.3, D27 to D29)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import model_validator

from prism_iac.exchange._fields import Layout, Level, PemText
from prism_iac.model import AGENT_TLS_FIELDS, FROZEN, Refusal, tls_mode_of
from prism_iac.prism import AgentConfigRecord

__all__ = ["AgentDocument", "agent_json"]


class AgentDocument(Layout):
    """The six fields of an agent configuration."""

    log_level: Level = None
    cert_file: PemText = ""
    server_key: Annotated[PemText, FROZEN.as_secret(write_only=True)] = ""
    server_ca_file: PemText = ""
    client_ca_file: PemText = ""
    attested_tls: bool = False

    @model_validator(mode="after")
    def _means_a_mode(self) -> Self:
        present = {name for name in AGENT_TLS_FIELDS if getattr(self, name)}
        # An export leaves the private key out.
        complete = present | ({"server_key"} if self.cert_file else set())
        if tls_mode_of(complete, attested=self.attested_tls) is None:
            raise Refusal(
                f"{', '.join(sorted(present)) or 'no files'} with attested_tls {str(self.attested_tls).lower()} "
                "is no TLS mode",
                "Give the files of one mode: none, tls, mtls, atls or matls.",
            )
        return self

    def record(self) -> AgentConfigRecord:
        """The configuration in its canonical form."""
        return AgentConfigRecord(
            log_level=self.log_level,
            attested_tls=self.attested_tls,
            **{name: getattr(self, name) for name in AGENT_TLS_FIELDS},
        )


def agent_json(agent: AgentConfigRecord, *, with_keys: bool) -> dict[str, Any]:
    """The six fields as they are written; the private key only where it is asked for (D59)."""
    document = agent.to_json()
    return document if with_keys else {**document, "server_key": ""}
