"""How a field may change, said once beside the field.

A field of a resource model carries a `Rule` in its annotation::

    vcpus: Annotated[int, REPLACE]

Diff, JSON Schema, the reference tables and the secret marks of both engine faces read it from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

__all__ = ["COMPUTED", "FROZEN", "IN_PLACE", "LASTING", "REPLACE", "Change", "Rule", "rule_of"]


class Change(StrEnum):
    """What happens to the live object when the desired value of a field changes."""

    IN_PLACE = "in place"
    REPLACE = "replace"
    FROZEN = "frozen during a run"
    COMPUTED = "computed"

    @property
    def meaning(self) -> str:
        """One sentence for the reference documentation."""
        return {
            Change.IN_PLACE: "Updated on the live object.",
            Change.REPLACE: "The object is replaced.",
            Change.FROZEN: "Updated on the live object; refused while a run is going on.",
            Change.COMPUTED: "Set by the system; an output only.",
        }[self]


@dataclass(frozen=True, slots=True)
class Rule:
    """The change rule of one field.

    Attributes:
        change: What a change of the desired value does.
        secret: The value is encrypted in state and shown nowhere.
        write_only: The peer never gives the value back, so a read cannot show drift of it.
        lasting: A computed value that no update changes, so that a preview knows it.
    """

    change: Change
    secret: bool = False
    write_only: bool = False
    lasting: bool = False

    @property
    def is_input(self) -> bool:
        """Whether people set the field."""
        return self.change is not Change.COMPUTED

    def as_secret(self, *, write_only: bool = False) -> Rule:
        """The same rule for a secret value."""
        return replace(self, secret=True, write_only=write_only)


IN_PLACE: Final = Rule(Change.IN_PLACE)
REPLACE: Final = Rule(Change.REPLACE)
FROZEN: Final = Rule(Change.FROZEN)
COMPUTED: Final = Rule(Change.COMPUTED)
LASTING: Final = Rule(Change.COMPUTED, lasting=True)


def rule_of(model: type[BaseModel], field: str) -> Rule:
    """The rule of a field of a resource model.

    Raises:
        LookupError: The field carries no rule.
    """
    info: FieldInfo = model.model_fields[field]
    for item in info.metadata:
        if isinstance(item, Rule):
            return item
    raise LookupError(f"{model.__name__}.{field} has no change rule")
