"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from prism_iac.model import Location
from prism_iac.model.stack import RuleLevel, StackFile

__all__ = ["Breach", "Find", "Parameters", "Rule"]

Parameters: TypeAlias = Mapping[str, int]


class Breach(NamedTuple):
    """Something that breaks a rule.

    Attributes:
        location: The field; its first two parts are the table and the name of the entry.
        message: What is wrong.
        fix: What to write instead.
    """

    location: Location
    message: str
    fix: str

    @property
    def resource(self) -> str:
        """The entry, such as `vms.trainer`, as a waiver names it."""
        return ".".join(str(part) for part in self.location[:2])


Find: TypeAlias = Callable[[StackFile, Parameters], Iterator[Breach]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        name: Its name in stack files.
        description: What it demands, one sentence.
        level: How strictly it holds in `prod` where the stack file does not say; elsewhere it is disabled then.
        find: Yields what breaks it.
        parameters: The numbers that it goes by.
    """

    name: str
    description: str
    level: RuleLevel
    find: Find
    parameters: Parameters = field(default_factory=dict)
