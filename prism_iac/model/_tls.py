"""Which files each TLS mode of an agent needs, and which mode a set of files means.

Source: prism-rest.md section 5.1 and D28. The wire has no field for the mode; it follows from the files.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from prism_iac.model._names import TlsMode

__all__ = ["AGENT_TLS_FIELDS", "OPTIONAL_TLS_FIELDS", "REQUIRED_TLS_FIELDS", "TLS_PAIR", "tls_mode_of"]

AGENT_TLS_FIELDS: Final = ("cert_file", "server_key", "server_ca_file", "client_ca_file")
"""The four PEM fields of an agent configuration."""

TLS_PAIR: Final = frozenset({"cert_file", "server_key"})
"""Certificate and key, which come together or not at all."""

REQUIRED_TLS_FIELDS: Final[dict[TlsMode, frozenset[str]]] = {
    TlsMode.NONE: frozenset(),
    TlsMode.TLS: TLS_PAIR,
    TlsMode.MTLS: TLS_PAIR | {"server_ca_file", "client_ca_file"},
    TlsMode.ATLS: frozenset(),
    TlsMode.MATLS: frozenset({"client_ca_file"}),
}
"""The fields that a mode cannot do without."""

OPTIONAL_TLS_FIELDS: Final[dict[TlsMode, frozenset[str]]] = {
    TlsMode.MATLS: TLS_PAIR | {"server_ca_file"},
}
"""The fields that a mode may have besides; certificate and key come together or not at all."""


def tls_mode_of(fields: Collection[str], *, attested: bool) -> TlsMode | None:
    """The mode that a set of filled fields means; None when they mean none.

    Args:
        fields: The names of the fields that are set, of `AGENT_TLS_FIELDS`.
        attested: The value of `attested_tls`.
    """
    present = frozenset(fields)
    for mode, required in REQUIRED_TLS_FIELDS.items():
        allowed = required | OPTIONAL_TLS_FIELDS.get(mode, frozenset())
        pair_is_whole = present.isdisjoint(TLS_PAIR) or present >= TLS_PAIR
        if mode.is_attested is attested and required <= present <= allowed and pair_is_whole:
            return mode
    return None
