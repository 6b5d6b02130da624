"""Plans that were written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.plan import Plan

__all__ = ["read_plan"]


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        InvalidInput: It is no plan of this version.
        OSError: The file cannot be read.
    """
    from pydantic import ValidationError

    from prism_iac.plan import Plan

    try:
        return Plan.model_validate_json(path.read_bytes())
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
