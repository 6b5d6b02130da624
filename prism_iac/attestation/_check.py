"""One check of an appraisal: what was expected, what was found, and how it ended.

Source: RFC 9334 §8.4 (attestation results); attestation.md sections 3.1, 3.2 and 4.4 for what is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prism_iac.errors import FailedClaim, VerificationFailure

__all__ = [
    "Check",
    "EvidenceRefused",
    "Outcome",
    "compare",
    "fail",
    "judge",
    "not_asked",
    "refuse_failed",
    "shown",
]

_LONGEST_SHOWN: Final = 32


class Outcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105  # how a check ended
    FAIL = "fail"
    NOT_ASKED = "not asked"
    WARN = "warn"
    """It failed, and the policy does not enforce it yet."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check, whichever way it ended.

    Attributes:
        claim: What was looked at.
        outcome: `NOT_ASKED` where the policy has no expectation, so that nothing was compared.
        expected: For people; empty where nothing was asked.
        found: For people.
    """

    claim: str
    outcome: Outcome
    expected: str
    found: str


class EvidenceRefused(VerificationFailure):
    """Evidence does not meet the policy.

    Attributes:
        checks: All of them, those that passed too, in their order.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = tuple(checks)
        super().__init__(
            "the evidence does not meet the policy",
            failed=(
                FailedClaim(check.claim, check.expected, check.found)
                for check in self.checks
                if check.outcome is Outcome.FAIL
            ),
            next_step="Send nothing to this VM. Compare the policy file with the one of the VM that you expect.",
        )


def judge(claim: str, expected: str, found: str, *, holds: bool) -> Check:
    """A check that was made."""
    return Check(claim, Outcome.PASS if holds else Outcome.FAIL, expected, found)


def fail(claim: str, expected: str, found: str) -> Check:
    """A check that failed."""
    return Check(claim, Outcome.FAIL, expected, found)


def not_asked(claim: str, found: str) -> Check:
    """A claim that the policy does not speak of."""
    return Check(claim, Outcome.NOT_ASKED, "", found)


def compare(claim: str, expected: bytes | None, found: bytes) -> Check:
    """Equality of bytes; not asked when nothing is expected."""
    if expected is None:
        return not_asked(claim, shown(found))
    return judge(claim, shown(expected), shown(found), holds=expected == found)


def refuse_failed(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks, none of which failed.

    Raises:
        EvidenceRefused: One did; with all of them.
    """
    checks = tuple(checks)
    if any(check.outcome is Outcome.FAIL for check in checks):
        raise EvidenceRefused(checks)
    return checks


def shown(value: bytes) -> str:
    """Bytes as short hexadecimal text."""
    text = value.hex()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:12]}…{text[-4:]}"
