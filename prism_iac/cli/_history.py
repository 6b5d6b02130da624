"""`prism-iac computations logs` and `events`: what happened in a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._completion import ComputationName
from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson, emit, emit_json, emit_table, moment, printable
from prism_iac.cli._prism import Prism
from prism_iac.cli._runs import choose_run, has_ended

if TYPE_CHECKING:
    from prism_iac.prism import LogRecord

__all__ = ["events", "logs"]

RunNumber = Annotated[
    int | None, typer.Option("--run", metavar="NUMBER", help="Of this run; the latest when left out.")
]


@given(Prism)
def logs(
    prism: Prism,
    computation: ComputationName,
    *,
    run: RunNumber = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run ends; with --json, a document a line.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the agent logged in a run, oldest first."""
    from prism_iac.cli._as_documents import log_document
    from prism_iac.cli._follow import follow as follow_list

    record = prism.computation(computation)
    chosen = choose_run(prism, record, run)
    computations = prism.workspace.computations
    if follow:
        entries = follow_list(
            lambda since: computations.logs(record.id, run_id=chosen.id, since=since),
            lambda: has_ended(prism, chosen),
        )
        for entry in entries:
            emit(json.dumps(log_document(entry), ensure_ascii=False) if as_json else _line(entry))
        return
    known = [*computations.logs(record.id, run_id=chosen.id)][::-1]
    if as_json:
        emit_json([log_document(entry) for entry in known])
    elif known:
        emit("\n".join(map(_line, known)))


@given(Prism)
def events(
    prism: Prism, computation: ComputationName, *, run: RunNumber = None, as_json: AsJson = False
) -> None:
    """Print the steps of a run, oldest first."""
    from prism_iac.cli._as_documents import event_document

    record = prism.computation(computation)
    chosen = choose_run(prism, record, run)
    known = [*prism.workspace.computations.events(record.id, run_id=chosen.id)][::-1]
    if as_json:
        emit_json([event_document(event) for event in known])
        return
    emit_table(
        ("TIME", "STEP", "STATUS"),
        ((moment(event.timestamp), event.event_type, event.status) for event in known),
    )


def _line(entry: LogRecord) -> str:
    return printable(f"{moment(entry.timestamp)}  {entry.level or '-':5}  {entry.message}")
