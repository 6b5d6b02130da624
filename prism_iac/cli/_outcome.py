"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Outcome", "Verdict", "failed", "fine", "skipped"]


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found.

    Attributes:
        evidence: What was seen.
        cause: What is wrong; empty where nothing is.
        fix: What to do about it.
    """

    verdict: Verdict
    evidence: str
    cause: str = ""
    fix: str = ""


def fine(evidence: str) -> Outcome:
    """All is well."""
    return Outcome(Verdict.OK, evidence)


def failed(evidence: str, *, cause: str, fix: str) -> Outcome:
    """Something is wrong."""
    return Outcome(Verdict.FAILED, evidence, cause, fix)


def skipped(why: str) -> Outcome:
    """There is nothing to look at."""
    return Outcome(Verdict.SKIPPED, why)
