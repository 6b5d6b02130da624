"""`prism-iac computations`: what is there, and its beginning and end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final
from uuid import uuid4

import typer

from prism_iac.cli import _history
from prism_iac.cli._completion import ComputationName, VmOption
from prism_iac.cli._given import given
from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json, emit_table, moment, printable, say
from prism_iac.cli._prism import Prism, the_data_folder
from prism_iac.cli._runs import run_facts, wait_for_end
from prism_iac.errors import Finding, InvalidInput, RemoteFailure

if TYPE_CHECKING:
    from prism_iac.prism import ComputationRecord, DryRun, Rejected

__all__ = ["app"]

app: Final = typer.Typer(help="The computations of a workspace.", no_args_is_help=True)
app.command("logs", epilog=example("prism-iac computations logs iris-regression --follow"))(_history.logs)
app.command("events", epilog=example("prism-iac computations events iris-regression"))(_history.events)


@app.command("list", epilog=example("prism-iac computations list --workspace research"))
@given(Prism)
def list_(prism: Prism, *, as_json: AsJson = False) -> None:
    """List the computations of the workspace, newest first."""
    from prism_iac.cli._as_documents import computation_document

    records = list(prism.workspace.computations.list())
    if as_json:
        emit_json([computation_document(record) for record in records])
        return
    emit_table(
        ("NAME", "STATUS", "CREATED", "ID"),
        ((record.name, record.status, moment(record.created_at), record.id) for record in records),
    )


@app.command(epilog=example("prism-iac computations show iris-regression"))
@given(Prism)
def show(prism: Prism, computation: ComputationName, *, as_json: AsJson = False) -> None:
    """Show a computation and its latest run.

    It tells, too, what is missing for the next one.
    """
    from prism_iac.cli._as_documents import computation_details

    record = prism.computation(computation)
    run = prism.workspace.computations.latest_run(record.id)
    missing = prism.workspace.computations.dry_run(record.id)
    if as_json:
        emit_json(computation_details(record, run, missing))
        return
    config = record.agent_config
    emit_facts(
        (
            ("name", record.name),
            ("id", record.id),
            ("description", record.description),
            ("status", record.status),
            ("owner", record.owner),
            ("created", moment(record.created_at)),
            ("TLS mode", config.tls_mode if config else None),
            ("log level", config.log_level if config else None),
            *run_facts(run),
            *(("missing", line) for line in _missing_lines(missing, prism)),
        )
    )


@app.command(epilog=example("prism-iac computations manifest iris-regression > manifest.json"))
@given(Prism)
def manifest(prism: Prism, computation: ComputationName) -> None:
    """Print the runtime manifest as JSON.

    Before the first run it is what the manifest would be.
    """
    record = prism.computation(computation)
    emit(json.dumps(dict(prism.workspace.computations.manifest(record.id)), indent=2))


@app.command(epilog=example("prism-iac computations run iris-regression --vm trainer --wait"))
@given(Prism)
def run(
    prism: Prism,
    computation: ComputationName,
    *,
    vm: VmOption,
    wait: Annotated[bool, typer.Option("--wait", help="Tell its steps, and wait for its end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a run on a VM.

    The agent then waits for the algorithm and the data. With --wait the exit code is 3 when the run does not complete.
    """
    from prism_iac.cli._as_documents import run_document
    from prism_iac.prism import Rejected

    computations = prism.workspace.computations
    record, machine = prism.computation(computation), prism.vm(vm)
    try:
        computations.run(record.id, machine.id, idempotency_key=uuid4().hex)
    except Rejected as error:
        raise _not_runnable(error, record, prism) from error
    started = prism.run_of(record)
    if wait:
        say(f"run {started.number} on {printable(machine.name)}; the agent is at {started.agent_address}")
        started = wait_for_end(prism, started)
    if as_json:
        emit_json(run_document(started))
    else:
        emit_facts(run_facts(started))
    if wait and started.status != "completed":
        raise RemoteFailure(
            f"run {started.number} of {record.name} ended as {started.status}",
            next_step=f"See why with `prism-iac computations logs {record.name}`.",
        )


@app.command(epilog=example("prism-iac computations stop iris-regression"))
@given(Prism)
def stop(prism: Prism, computation: ComputationName) -> None:
    """Stop the run that is going on."""
    record = prism.computation(computation)
    prism.workspace.computations.stop(record.id)
    say(f"stopped {printable(record.name)}")


@app.command(epilog=example("prism-iac computations delete iris-regression --yes"))
@given(Prism)
def delete(
    prism: Prism,
    computation: ComputationName,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a computation with its runs, logs and keys.

    Its definition is written to a file first.
    """
    record = prism.computation(computation)
    if not yes:
        typer.confirm(f"Delete {printable(record.name)} ({record.id}) for good?", abort=True, err=True)
    from prism_iac.cli._lifecycle import delete_computation

    exports = the_data_folder() / "exports"
    delete_computation(prism, record, exports)
    say(f"deleted {printable(record.name)}; its definition is in {exports}")


def _missing_lines(missing: DryRun, prism: Prism) -> tuple[str, ...]:
    return (
        *(f"{_name_of(user, prism)} has not registered a public key" for user in missing.keys),
        *(f"the asset {asset} has no checksum or is not linked" for asset in missing.hashes),
        *missing.info,
    )


def _name_of(user_id: str, prism: Prism) -> str:
    from prism_iac.prism import NotFound, PermissionDenied

    try:
        user = prism.client.users.get(user_id)
    except (NotFound, PermissionDenied):
        return user_id
    return user.email or user.username


def _not_runnable(error: Rejected, record: ComputationRecord, prism: Prism) -> Exception:
    """What is missing for a run, as findings, where Prism says what it is."""
    if error.dry_run is None:
        return error
    return InvalidInput(
        Finding(path=record.name, message=line, fix="The computation cannot run before that.")
        for line in _missing_lines(error.dry_run, prism)
    )
