"""Which rules an environment has, how strictly, and who has waived what."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from prism_iac.model._canonical import Day, Text, WholeNumber
from prism_iac.model._document import Document

__all__ = ["RuleEntry", "RuleLevel", "WaiverEntry"]


class RuleLevel(StrEnum):
    """How strictly a rule is enforced."""

    MANDATORY = "mandatory"
    """What breaks it is refused."""
    ADVISORY = "advisory"
    """What breaks it is told."""
    DISABLED = "disabled"
    """Nobody looks."""


class WaiverEntry(Document):
    """That one resource may break a rule for a time."""

    resource: Text
    """The entry that may, such as `vms.trainer`."""

    reason: Text
    """Why."""

    by: Text
    """Who allows it."""

    until: Day
    """The last day, UTC, on which it may."""


class RuleEntry(Document):
    """How one rule holds in this environment."""

    level: RuleLevel | None = None
    """`mandatory`, `advisory` or `disabled`; the rule's own level when left out."""

    parameters: dict[str, Annotated[WholeNumber, Field(ge=0)]] = Field(default_factory=dict)
    """The numbers that the rule goes by, such as `days`; its own when left out."""

    waivers: tuple[WaiverEntry, ...] = ()
    """What may break it, why, by whose leave and until when."""
