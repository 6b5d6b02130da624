"""`prism-iac import`: brings computations from a file into a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson, emit_facts, emit_json, printable, say
from prism_iac.cli._prism import Prism
from prism_iac.cli._progress import row_bar

if TYPE_CHECKING:
    from prism_iac.exchange import Collected, Outcome, Review

__all__ = ["import_"]


@given(Prism)
def import_(
    prism: Prism,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON (bundles or flat) or CSV."),
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell everything, change nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Make nothing when a user or an asset is missing.")
    ] = False,
    without_certificates: Annotated[
        bool,
        typer.Option("--without-certificates", help="Leave out certificates whose private key is not there."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the computations of a file into the workspace.

    All of the file is checked first; an error anywhere means that nothing is made. What is missing in the
    workspace is told, and the rest is made; the exit code is 1 then. An import that was cut off goes on
    when it is run again, and makes nothing twice.
    """
    from prism_iac.cli.exchange._access import CommandLineAccess
    from prism_iac.exchange import Import, read_rows

    job = Import(CommandLineAccess(prism), without_certificates=without_certificates)
    review = job.review(read_rows(file))
    if dry_run or review.errors.count or (strict and review.warnings.count):
        _show(review, None, as_json=as_json)
        _tell(review.warnings)
        review.errors.require_none()
    else:
        _tell(review.warnings)
        with row_bar(file.name, review.rows) as progress:
            outcome = job.perform(read_rows(file), progress=progress)
        _show(review, outcome, as_json=as_json)
        outcome.refused.require_none()
    if review.warnings.count and not dry_run:
        raise typer.Exit(1)


def _tell(warnings: Collected) -> None:
    for finding in warnings.kept:
        say(printable(f"warning: {finding}", keep_lines=True))
    if warnings.count > len(warnings.kept):
        say(f"warning: {warnings.count - len(warnings.kept)} more are not shown")


def _show(review: Review, outcome: Outcome | None, *, as_json: bool) -> None:
    from prism_iac.cli._documents import ImportDocument

    document = ImportDocument(
        dry_run=outcome is None,
        computations=review.rows,
        made=outcome.made if outcome else review.new,
        resumed=outcome.resumed if outcome else review.resumed,
        there_already=outcome.there if outcome else review.there,
        assets_made=outcome.new_assets if outcome else review.new_assets,
        errors=review.errors.count + (outcome.refused.count if outcome else 0),
        warnings=review.warnings.count,
    )
    if as_json:
        emit_json(document)
        return
    is_done = outcome is not None
    emit_facts(
        (
            ("computations", str(document["computations"])),
            ("made" if is_done else "to make", str(document["made"])),
            ("resumed" if is_done else "to resume", str(document["resumed"])),
            ("there already", str(document["there_already"])),
            ("assets made" if is_done else "assets to make", str(document["assets_made"])),
            ("errors", str(document["errors"])),
            ("warnings", str(document["warnings"])),
        )
    )
