"""`prism-iac rules`, and how a stack is held against them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit_json, emit_table

if TYPE_CHECKING:
    from prism_iac.errors import Finding
    from prism_iac.plan import RuleFinding
    from prism_iac.rules import Judgement
    from prism_iac.spec import Stack

__all__ = ["advice_of", "app", "refusals_of", "rule_findings"]

app: Final = typer.Typer(help="What an environment demands of its computations.", no_args_is_help=True)


@app.callback()
def _rules() -> None:
    """What an environment demands of its computations."""


@app.command("list", epilog=example("prism-iac rules list"))
def list_(*, as_json: AsJson = False) -> None:
    """List the rules, their levels in an environment named prod, and their parameters.

    Elsewhere a rule is disabled until the stack file's `rules:` says otherwise.
    """
    from prism_iac.cli._as_documents import rule_document
    from prism_iac.rules import RULES

    if as_json:
        emit_json([rule_document(rule) for rule in RULES])
        return
    emit_table(
        ("RULE", "IN PROD", "PARAMETERS", "DEMANDS"),
        (
            (
                rule.name,
                rule.level,
                " ".join(f"{name}={value}" for name, value in rule.parameters.items()),
                rule.description,
            )
            for rule in RULES
        ),
    )


def refusals_of(stack: Stack, today: date) -> tuple[Finding, ...]:
    """What breaks a mandatory rule and is not waived, with its place."""
    from prism_iac.rules import judge

    found = judge(stack.declared, today=today)
    return stack.told_once(_finding(item, stack) for item in found if item.is_refused)


def advice_of(stack: Stack, today: date) -> tuple[Finding, ...]:
    """What breaks an advisory rule and is not waived, with its place."""
    from prism_iac.rules import judge

    found = judge(stack.declared, today=today)
    return stack.told_once(
        _finding(item, stack) for item in found if not item.is_refused and item.waiver is None
    )


def rule_findings(stack: Stack, today: date) -> Iterator[RuleFinding]:
    """What breaks a rule, waived or not, as a plan tells it."""
    from prism_iac.model.stack import RuleLevel
    from prism_iac.plan import RuleFinding
    from prism_iac.rules import judge

    for item in judge(stack.declared, today=today):
        waiver = item.waiver
        yield RuleFinding(
            rule=item.rule,
            resource=item.resource,
            message=f"{item.level}: {item.message}. {item.fix}",
            is_mandatory=item.level is RuleLevel.MANDATORY,
            waived=waiver is not None,
            waiver=f"by {waiver.by} until {waiver.until}: {waiver.reason}" if waiver else "",
        )


def _finding(item: Judgement, stack: Stack) -> Finding:
    from prism_iac.errors import Finding
    from prism_iac.model import path_text

    file, line, column = stack.origin(*item.location)
    message = f"{item.message} ({item.level} rule {item.rule})"
    return Finding(file, line, column, path_text(item.location), message, item.fix)
