"""The rules that there are."""

from __future__ import annotations

from typing import Final

from prism_iac.model.stack import RuleLevel
from prism_iac.rules._agents import attested_agents, encrypted_agents, known_clients, quiet_logs
from prism_iac.rules._certificates import fresh_keys, renewal_window, short_lives, strong_keys
from prism_iac.rules._parties import (
    encrypted_sources,
    pinned_assets,
    pinned_keys,
    pinned_sources,
    separate_consumers,
)
from prism_iac.rules._rule import Rule
from prism_iac.rules._trust import (
    enforced_policies,
    hardware_evidence,
    least_tcb,
    measured_vms,
    no_debug_guests,
)

__all__ = ["RULES"]

_MANDATORY: Final = RuleLevel.MANDATORY
_ADVISORY: Final = RuleLevel.ADVISORY

RULES: Final = (
    Rule("encrypted-agents", "Agents are reached over TLS.", _MANDATORY, encrypted_agents),
    Rule("attested-agents", "Connections to agents are bound to evidence.", _MANDATORY, attested_agents),
    Rule("known-clients", "Agents know who connects.", _ADVISORY, known_clients),
    Rule("quiet-logs", "No agent logs at the level debug.", _MANDATORY, quiet_logs),
    Rule("strong-keys", "RSA keys have enough bits.", _MANDATORY, strong_keys, {"rsa_bits": 3072}),
    Rule(
        "renewal-window",
        "Certificates are renewed in time for people to notice.",
        _MANDATORY,
        renewal_window,
        {"days": 30},
    ),
    Rule("short-lives", "Certificates do not live long.", _ADVISORY, short_lives, {"days": 398}),
    Rule("fresh-keys", "A renewal makes new keys.", _ADVISORY, fresh_keys),
    Rule(
        "measured-vms",
        "VMs, or their agents, are held to a declared launch measurement.",
        _MANDATORY,
        measured_vms,
    ),
    Rule("hardware-evidence", "Hardware signs the evidence.", _MANDATORY, hardware_evidence),
    Rule("no-debug-guests", "No policy accepts a guest that can be debugged.", _MANDATORY, no_debug_guests),
    Rule("least-tcb", "Declared policies ask for a least TCB.", _ADVISORY, least_tcb),
    Rule("enforced-policies", "No field of a policy only warns.", _ADVISORY, enforced_policies),
    Rule("pinned-assets", "Every uploaded asset's bytes are pinned.", _MANDATORY, pinned_assets),
    Rule("pinned-sources", "Every remote source is pinned by digest.", _MANDATORY, pinned_sources),
    Rule("encrypted-sources", "Nothing is fetched in clear.", _MANDATORY, encrypted_sources),
    Rule("pinned-keys", "Participants' public keys are in the stack file.", _ADVISORY, pinned_keys),
    Rule(
        "separate-consumers",
        "Results do not go to the provider of the algorithm alone.",
        _ADVISORY,
        separate_consumers,
    ),
)
"""Every rule, in the order in which they are told."""
