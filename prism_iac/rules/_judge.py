"""Holds a stack file against the rules of its environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from prism_iac.model import Location, nearest, shown
from prism_iac.model.stack import RuleEntry, RuleLevel, StackFile, WaiverEntry
from prism_iac.rules._catalogue import RULES
from prism_iac.rules._rule import Breach, Rule

__all__ = ["PRODUCTION", "Judgement", "judge"]

PRODUCTION: Final = "prod"
"""The environment in which rules hold without being asked for."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Something that breaks a rule, and what follows from it.

    Attributes:
        rule: The name of the rule.
        level: `mandatory` or `advisory`.
        resource: The entry, such as `vms.trainer`.
        location: The field.
        message: What is wrong.
        fix: What to write instead.
        waiver: The waiver that is in force for it.
    """

    rule: str
    level: RuleLevel
    resource: str
    location: Location
    message: str
    fix: str
    waiver: WaiverEntry | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it stands in the way."""
        return self.level is RuleLevel.MANDATORY and self.waiver is None


def judge(file: StackFile, *, today: date, rules: Sequence[Rule] = RULES) -> tuple[Judgement, ...]:
    """Everything that breaks the rules of a stack file's environment, waived or not.

    A mistake in the file's own `rules:` is mandatory, as are waivers that have expired or match nothing: a
    waiver that nobody removes would let the next breach through.

    Args:
        file: A document without findings; references that lead nowhere are passed over.
        today: The day, UTC, that waivers are held against.
        rules: The rules that there are.
    """
    known = {rule.name: rule for rule in rules}
    found = list(_unknown(file, known))
    for rule in rules:
        entry = file.rules.get(rule.name, RuleEntry())
        level = entry.level or (rule.level if file.environment == PRODUCTION else RuleLevel.DISABLED)
        is_looked_at = level is not RuleLevel.DISABLED
        breaches = tuple(rule.find(file, {**rule.parameters, **entry.parameters})) if is_looked_at else ()
        waivers = MappingProxyType(
            {waiver.resource: waiver for waiver in entry.waivers if waiver.until >= today.isoformat()}
        )
        found.extend(_judged(rule, level, breaches, waivers))
        found.extend(_stale(rule, entry, breaches, today))
    return tuple(found)


def _judged(
    rule: Rule, level: RuleLevel, breaches: Iterable[Breach], waivers: Mapping[str, WaiverEntry]
) -> Iterator[Judgement]:
    for breach in breaches:
        yield Judgement(
            rule.name,
            level,
            breach.resource,
            breach.location,
            breach.message,
            breach.fix,
            waivers.get(breach.resource),
        )


def _stale(rule: Rule, entry: RuleEntry, breaches: Sequence[Breach], today: date) -> Iterator[Judgement]:
    broken_by = {breach.resource for breach in breaches}
    for index, waiver in enumerate(entry.waivers):
        location = ("rules", rule.name, "waivers", index)
        if waiver.until < today.isoformat():
            message = f"the waiver for {shown(waiver.resource)} ended with {waiver.until}"
            yield _mistake(rule.name, (*location, "until"), message, "Meet the rule, or have it waived anew.")
        elif waiver.resource not in broken_by:
            message = f"{shown(waiver.resource)} does not break this rule, so there is nothing to waive"
            yield _mistake(rule.name, (*location, "resource"), message, "Remove the waiver.")


def _unknown(file: StackFile, known: Mapping[str, Rule]) -> Iterator[Judgement]:
    for name, entry in file.rules.items():
        if name not in known:
            yield _mistake(name, ("rules", name), f"there is no rule {shown(name)}", nearest(name, known))
            continue
        for parameter in entry.parameters.keys() - known[name].parameters.keys():
            yield _mistake(
                name,
                ("rules", name, "parameters", parameter),
                f"this rule has no parameter {shown(parameter)}",
                nearest(parameter, known[name].parameters) if known[name].parameters else "Remove it.",
            )


def _mistake(rule: str, location: Location, message: str, fix: str) -> Judgement:
    return Judgement(rule, RuleLevel.MANDATORY, f"rules.{rule}", location, message, fix)
