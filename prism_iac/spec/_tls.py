"""What a bundle gives to an agent, and which TLS mode an agent has in the end.

Source: prism-rest.md section 5.1 and D28.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prism_iac.model import AGENT_TLS_FIELDS, TlsMode, tls_mode_of
from prism_iac.model.resources import CertificateSettings
from prism_iac.model.stack import AgentEntry

__all__ = ["BUNDLE_FIELDS", "mode_of"]

BUNDLE_FIELDS: Final[dict[TlsMode, frozenset[str]]] = {
    TlsMode.NONE: frozenset(),
    TlsMode.TLS: frozenset({"cert_file", "server_key", "server_ca_file"}),
    TlsMode.MTLS: frozenset(AGENT_TLS_FIELDS),
    TlsMode.ATLS: frozenset(),
    TlsMode.MATLS: frozenset(AGENT_TLS_FIELDS),
}
"""The fields of an agent that a bundle of each mode can fill."""


def mode_of(agent: AgentEntry, certificates: Mapping[str, CertificateSettings]) -> TlsMode | None:
    """The TLS mode: as stated, else the bundle's, else what the files mean; None where nothing says it."""
    if agent.tls is not None:
        return agent.tls
    if agent.certificates is not None:
        bundle = certificates.get(agent.certificates)
        return bundle.mode if bundle else None
    given = [field for field in AGENT_TLS_FIELDS if getattr(agent, field) is not None]
    return tls_mode_of(given, attested=False) if given else None
