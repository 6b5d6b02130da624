"""`prism-iac policy strength`: which worse evidence a policy would not notice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import AsJson, emit_json, emit_table, say
from prism_iac.cli.policy._expectations import wrong
from prism_iac.cli.policy._file import read_policy

if TYPE_CHECKING:
    from prism_iac.attestation.policy import Trial
    from prism_iac.cli._documents import TrialDocument

__all__ = ["strength"]


def strength(
    *,
    policy: Annotated[
        Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The policy, in any form.")
    ],
    evidence: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Evidence that the policy accepts."),
    ],
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="A field that may say nothing, such as policy.reportId; once for each.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which worse evidence a policy would not notice.

    Each claim of good evidence is made worse, as a genuine platform would show it. The exit code is 1 when the policy could say something of a claim, does not, and --accept does not name the field.
    """
    from prism_iac.attestation import VmEvidence
    from prism_iac.attestation.policy import measure_strength

    trials = measure_strength(VmEvidence.parse(evidence.read_bytes()), read_policy(policy).document)
    accepted = frozenset(accept or ())
    _require_known(accepted, trials)
    weak = [trial for trial in trials if trial.is_weakness and trial.field not in accepted]
    if as_json:
        emit_json([_trial_document(trial, accepted) for trial in trials])
    else:
        rows = [(trial.claim, trial.change, trial.field) for trial in trials if not trial.noticed_by]
        emit_table(("CLAIM", "NOT NOTICED", "FIELD"), rows)
        say(
            f"{len(trials)} changes, {len(rows)} not noticed, {len(weak)} of them neither accepted nor beyond policies"
        )
    if weak:
        raise typer.Exit(ExitCode.REFUSED)


def _require_known(accepted: frozenset[str], trials: tuple[Trial, ...]) -> None:
    known = sorted({trial.field for trial in trials} - {""})
    for field in sorted(accepted - set(known)):
        raise wrong("--accept", f'no change is about "{field}"', f"Name one of {', '.join(known)}.")


def _trial_document(trial: Trial, accepted: frozenset[str]) -> TrialDocument:
    return {
        "claim": trial.claim,
        "change": trial.change,
        "field": trial.field,
        "noticed_by": list(trial.noticed_by),
        "accepted": not trial.is_weakness or trial.field in accepted,
    }
