"""The lives of stacks that are cut off at every point: one for each of the main kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Final

from prism_iac.testing.faults import Step

__all__ = ["COMPUTATION", "LIVES", "PROJECT_FILE", "Scenario"]

PROJECT_FILE: Final = "name: kills\nruntime: python\n"


@dataclass(frozen=True)
class Scenario:
    """A life, and what stands around it.

    Attributes:
        name: What it is about.
        steps: The life, which ends as it began.
        around: What is there before and after each life, and is made undisturbed.
    """

    name: str
    steps: Sequence[Step]
    around: Step | None = None

    def __str__(self) -> str:
        return self.name


def program(text: str) -> dict[str, str]:
    """The files of a program."""
    return {"__main__.py": dedent(text)}


def _computation(description: str, name: str = "sum") -> dict[str, str]:
    return program(f"""
        import prism_iac

        prism_iac.Computation("{name}", name="sum", description="{description}", agent={{"log_level": "info"}})
    """)


COMPUTATION: Final = Scenario(
    "computation",
    (
        Step("create", files=_computation("adds numbers")),
        Step("update", files=_computation("adds all numbers")),
        Step("delete", "destroy"),
    ),
)

LIVES: Final = (COMPUTATION,)
