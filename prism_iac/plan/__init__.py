"""Explains what the engine would do: what changes, why, and what follows; as text, Markdown and JSON.

Main entries: `read_preview`, `explain`, `Plan`, and `text_of` and `markdown_of` to show one. Reads what the engine's preview wrote; calls nobody
and changes nothing. Must not import the engine's SDK.
"""

from prism_iac.plan._dates import Entry, Event, dates_of_stack, dates_of_workspace, upcoming
from prism_iac.plan._explain import Surroundings, explain
from prism_iac.plan._markdown import COMMENT_CHARACTERS, markdown_of
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
from prism_iac.plan._preview import Preview, read_preview
from prism_iac.plan._schema import plan_schema
from prism_iac.plan._text import text_of
from prism_iac.plan._world import digest_of_files, digest_of_state, moved

__all__ = [
    "COMMENT_CHARACTERS",
    "Consequence",
    "Effect",
    "Entry",
    "Event",
    "FieldChange",
    "Impact",
    "Missing",
    "Need",
    "Plan",
    "Preview",
    "ResourceChange",
    "RuleFinding",
    "Surroundings",
    "TrustShift",
    "Upcoming",
    "World",
    "dates_of_stack",
    "dates_of_workspace",
    "digest_of_files",
    "digest_of_state",
    "explain",
    "markdown_of",
    "moved",
    "plan_schema",
    "read_preview",
    "text_of",
    "upcoming",
]
