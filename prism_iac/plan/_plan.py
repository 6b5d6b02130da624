"""What a plan says: plain values, the same in text, Markdown and JSON.

Every value is safe to show: a secret is a fingerprint, a long text its first words and its digest. Nothing
depends on when a plan was made but the day, so the same plan twice is the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from prism_iac.attestation.policy import Trust
from prism_iac.model import Change

__all__ = [
    "VERSION",
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

VERSION: Final = 1
"""The version of the JSON form; a field that is there keeps its name and its meaning within one."""

Digest = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Effect(StrEnum):
    """What becomes of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


class FieldChange(_Value):
    """One field that differs."""

    path: str
    """Where it is in the resource, such as `agent.log_level`."""
    old: str | None
    """What it was, for people; None where there was nothing."""
    new: str | None
    """What it will be, for people; None where there will be nothing."""
    rule: Change
    """How the model lets it change."""
    secret: bool = False
    """Whether `old` and `new` are fingerprints; they compare within plans of one checkout."""
    is_open: bool = False
    """Whether the new value, or a part of it, is known only after something that it comes from."""


class Impact(StrEnum):
    """What kind of consequence a change has, the gravest first."""

    REFUSED = "refused"
    """It will not be done while things are as they are."""
    LOST = "lost"
    """Something that cannot be had again."""
    REPLACED = "replaced"
    APPROVAL = "approval"
    """Somebody has to look again at what they agreed to."""
    UPLOAD = "upload"
    """Somebody has to bring a file or a key."""
    FETCH = "fetch"
    """Somebody has to fetch a file."""
    ACCESS = "access"
    """Somebody may do more or less than before."""
    TIME = "time"
    COST = "cost"


class Consequence(_Value):
    """What follows from a change."""

    impact: Impact
    text: str
    """One sentence."""
    who: tuple[str, ...] = ()
    """The users who have to act, or whom it meets."""


class ResourceChange(_Value):
    """One resource that changes."""

    effect: Effect
    kind: str
    """The kind, such as `Computation`; the engine's type token for what is not of this package."""
    name: str
    """The name in the stack file."""
    urn: str
    fields: tuple[FieldChange, ...] = ()
    """What differs; of a create what is set."""
    reasons: tuple[str, ...] = ()
    """Why, in sentences."""
    renews: bool = False
    """Whether time alone asks for it."""
    days_left: int | None = None
    """Whole days until what renews ends."""
    consequences: tuple[Consequence, ...] = ()

    def has(self, impact: Impact) -> bool:
        """Whether it has a consequence of a kind."""
        return any(item.impact is impact for item in self.consequences)


class TrustShift(_Value):
    """One expectation of an attestation policy that changes."""

    policy: str
    field: str
    trust: Trust
    old: str
    new: str
    approval: str = ""
    """Who allows it to get looser, why and until when; empty where nobody has, or nobody has to."""


class Need(StrEnum):
    """What a run cannot do without."""

    KEY = "key"
    HASH = "hash"
    ROLE = "role"
    FILE = "file"


class Missing(_Value):
    """Something that Prism would report as missing, told from what is declared."""

    need: Need
    computation: str
    message: str
    who: str = ""
    """The user who has to bring it, where one has to."""
    next_step: str


class Upcoming(_Value):
    """What happens on a day ahead."""

    on: date
    days_left: int
    event: str
    of: str
    next_step: str


class RuleFinding(_Value):
    """That a resource breaks a rule of its environment."""

    rule: str
    resource: str
    message: str
    is_mandatory: bool = False
    """Whether `prism-iac up` refuses the plan for it, unless it is waived."""
    waived: bool = False
    waiver: str = ""
    """Who waived it, why and until when; empty where it is not."""


class World(_Value):
    """What a plan was made from, as SHA3-256; an update that is bound to the plan compares them."""

    state: Digest = ""
    stack_file: Digest = ""
    program: Digest = ""
    changes: Digest = ""


class Plan(_Value):
    """What an update would do, and what follows from it."""

    version: Literal[1] = VERSION
    stack: str
    as_of: date
    """The day, UTC, for which what time asks for was told."""
    errors: tuple[str, ...] = ()
    """Why there is no update to be had; nothing else is complete then."""
    trust: tuple[TrustShift, ...] = ()
    changes: tuple[ResourceChange, ...] = ()
    unchanged: int = 0
    """How many resources stay as they are."""
    missing: tuple[Missing, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()
    """What expires, renews or begins to count within 90 days."""
    rules: tuple[RuleFinding, ...] = ()
    world: World = World()

    @property
    def renewals(self) -> Iterator[ResourceChange]:
        """What changes because time alone asks for it."""
        return (change for change in self.changes if change.renews)

    @property
    def is_refused(self) -> bool:
        """Whether there is no update to be had, or the rules of the environment forbid it."""
        broken = any(finding.is_mandatory and not finding.waived for finding in self.rules)
        return bool(self.errors) or broken

    def count(self, effect: Effect) -> int:
        """How many resources have an effect."""
        return sum(change.effect is effect for change in self.changes)

    def to_json(self) -> str:
        """The JSON form; the same plan is the same bytes."""
        return self.model_dump_json(indent=2) + "\n"
