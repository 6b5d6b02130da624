"""Explains what the engine would do: what changes, why, and what follows; as text, Markdown and JSON.

Main entries: `Plan`, the values that every form shows. Reads what the engine's preview wrote; calls nobody
and changes nothing. Must not import the engine's SDK.
"""

from prism_iac.plan._plan import (
    Consequence,
    Effect,
    FieldChange,
    Impact,
    Missing,
    Need,
    Plan,
    ResourceChange,
    RuleFinding,
    TrustShift,
    Upcoming,
    World,
)

__all__ = [
    "Consequence",
    "Effect",
    "FieldChange",
    "Impact",
    "Missing",
    "Need",
    "Plan",
    "ResourceChange",
    "RuleFinding",
    "TrustShift",
    "Upcoming",
    "World",
]
