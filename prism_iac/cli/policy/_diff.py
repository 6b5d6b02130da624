"""`prism-iac policy diff`: whether trust became tighter or looser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import AsJson, emit_json, emit_table
from prism_iac.cli.policy._file import read_policy

if TYPE_CHECKING:
    from prism_iac.cli._documents import TrustChangeDocument

__all__ = ["diff"]


def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", exists=True, dir_okay=False, help="A policy, in any form.")
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", exists=True, dir_okay=False, help="What replaces it.")
    ],
    *,
    fail_on: Annotated[
        Literal["tighter", "looser", "incomparable"] | None,
        typer.Option(help="Exit with code 1 when a field changed like that.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which fields of a policy changed, and whether trust became tighter or looser.

    A change is looser when evidence is accepted that was not, tighter when evidence is not accepted any more, and incomparable when both is so, such as another measurement.
    """
    from prism_iac.attestation.policy import compare_trust

    found = compare_trust(read_policy(old).document, read_policy(new).document)
    documents: list[TrustChangeDocument] = [
        {"field": change.field, "trust": change.trust.value, "old": change.old, "new": change.new}
        for change in found
    ]
    if as_json:
        emit_json(documents)
    else:
        emit_table(
            ("TRUST", "FIELD", "OLD", "NEW"), [(it.trust.value, it.field, it.old, it.new) for it in found]
        )
    if any(change.trust == fail_on for change in found):
        raise typer.Exit(ExitCode.REFUSED)
