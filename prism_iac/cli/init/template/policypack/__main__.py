"""The policy pack: every rule of prism-iac, enforced by the engine before a resource is touched.

Levels, parameters and waivers are those of `stacks/<stack>.yaml`; an advisory breach is told by the policy
whose name ends in `-advice`. Rules that look at more than one resource are for `prism-iac validate`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from prism_iac.model.stack import RuleEntry, RuleLevel
from prism_iac.rules import RULES, Rule, judge_resource
from prism_iac.spec import load_stack

STACKS = Path(__file__).resolve().parents[1] / "stacks"
TYPES = ("pulumi-python:dynamic/prism:", "prism:index:")
LEVELS = {
    "": (EnforcementLevel.MANDATORY, RuleLevel.MANDATORY),
    "-advice": (EnforcementLevel.ADVISORY, RuleLevel.ADVISORY),
}


@lru_cache
def environment_of(stack: str) -> tuple[str, dict[str, RuleEntry]]:
    """The environment of a stack, and the `rules:` of its stack file; without a file those of its name."""
    file = STACKS / f"{stack}.yaml"
    if not file.is_file():
        return stack, {}
    declared = load_stack(file).declared
    return declared.environment, declared.rules


def policy_of(rule: Rule, suffix: str) -> ResourceValidationPolicy:
    """A rule as a policy of one level."""
    enforcement, level = LEVELS[suffix]
    return ResourceValidationPolicy(
        name=f"{rule.name}{suffix}",
        description=rule.description,
        validate=validator_of(rule, level),
        enforcement_level=enforcement,
    )


def validator_of(rule: Rule, level: RuleLevel) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    """What the engine calls for each resource."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        kind = next(
            (args.resource_type.removeprefix(own) for own in TYPES if args.resource_type.startswith(own)), ""
        )
        if kind:
            for item in judged(kind, args):
                if (item.rule, item.level, item.waiver) == (rule.name, level, None):
                    report(f"{item.resource}: {item.message}. {item.fix}", None)

    return validate


def judged(kind: str, args: ResourceValidationArgs) -> Any:
    """What of a resource breaks any rule."""
    environment, entries = environment_of(args.urn.split("::")[0].rpartition(":")[2])
    today = datetime.now(UTC).date()
    return judge_resource(kind, args.name, args.props, environment=environment, entries=entries, today=today)


PolicyPack("prism-iac", [policy_of(rule, suffix) for rule in RULES for suffix in LEVELS])
