"""Between the agent configuration that people write and the six fields of the wire (D27, D28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prism_iac.model import AGENT_TLS_FIELDS
from prism_iac.model.resources import AgentConfig

if TYPE_CHECKING:
    from prism_iac.prism import AgentConfigRecord

__all__ = ["agent_from_wire", "agent_to_wire", "differs_in_certificates", "is_same_agent"]


def agent_to_wire(agent: AgentConfig) -> AgentConfigRecord:
    """The configuration as Prism stores it: PEM text, empty where nothing is set."""
    from prism_iac.prism import AgentConfigRecord

    return AgentConfigRecord(
        log_level=agent.log_level,
        attested_tls=bool(agent.attested_tls),
        **{name: getattr(agent, name) or "" for name in AGENT_TLS_FIELDS},
    )


def agent_from_wire(record: AgentConfigRecord | None, known: AgentConfig) -> dict[str, Any]:
    """The configuration as it is at Prism, as properties.

    The private key comes back to those alone who may edit, so an absent one is taken from what is known
    (D14).
    """
    if record is None:
        return known.model_dump(mode="json", exclude_none=True)
    fields = {name: getattr(record, name) for name in AGENT_TLS_FIELDS}
    if not fields["server_key"] and fields["cert_file"]:
        fields["server_key"] = known.server_key
    filled = {name: value for name, value in fields.items() if value}
    return {**filled, "log_level": record.log_level, "attested_tls": record.attested_tls}


def is_same_agent(record: AgentConfigRecord | None, wanted: AgentConfigRecord | None) -> bool:
    """Whether Prism holds a configuration already; a key that it does not show counts as the same."""
    if record is None or wanted is None:
        return record is wanted
    names = ("log_level", "attested_tls", *AGENT_TLS_FIELDS)
    hidden = not record.server_key and bool(record.cert_file)
    return all(
        getattr(record, name) == getattr(wanted, name) or (name == "server_key" and hidden) for name in names
    )


def differs_in_certificates(record: AgentConfigRecord | None, wanted: AgentConfigRecord) -> bool:
    """Whether an agent would be secured as it is, with other keys or certificates."""
    if record is None or is_same_agent(record, wanted):
        return False
    # A key that Prism does not show still is one.
    shown = {name for name in AGENT_TLS_FIELDS if getattr(record, name)} | (
        {"server_key"} if record.cert_file else set()
    )
    return (record.log_level, record.attested_tls, shown) == (
        wanted.log_level,
        wanted.attested_tls,
        {name for name in AGENT_TLS_FIELDS if getattr(wanted, name)},
    )
