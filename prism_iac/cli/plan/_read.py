"""Plans that were written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.plan import Plan

__all__ = ["read_plan"]


LARGEST_PLAN_BYTES: Final = 32 << 20
"""A plan of 10,000 resources has a third of it; one from a fork is not trusted to be a plan."""


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        InvalidInput: It is no plan of this version, or too large to be one.
        OSError: The file cannot be read.
    """
    from pydantic import ValidationError

    from prism_iac.plan import Plan

    with path.open("rb") as file:
        content = file.read(LARGEST_PLAN_BYTES + 1)
    if len(content) > LARGEST_PLAN_BYTES:
        raise InvalidInput(
            [
                Finding(
                    file=str(path),
                    message=f"has more than {LARGEST_PLAN_BYTES} bytes, which no plan has",
                    fix="Write it with `prism-iac plan --format json`.",
                )
            ]
        )
    try:
        return Plan.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidInput(
            [
                Finding(
                    file=str(path),
                    line=1,
                    column=1,
                    path=".".join(map(str, first["loc"])),
                    message=f"is no plan of this version: {first['msg']}",
                    fix="Write it with `prism-iac plan --format json`.",
                )
            ]
        ) from error
