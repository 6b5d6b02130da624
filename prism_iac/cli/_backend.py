"""`prism-iac backend`: the embedded Prism of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._help import example
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json
from prism_iac.cli._prism import the_data_folder

if TYPE_CHECKING:
    from prism_iac.backend import Instance

__all__ = ["app"]

app: Final = typer.Typer(help="The embedded Prism of this machine.", no_args_is_help=True)

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The folder in which it keeps everything; .prism/backend of the project when left out.",
        show_default=False,
    ),
]
Database = Annotated[
    str,
    typer.Option(
        metavar="URL", help="A database URL, kept for later starts; SQLite in the folder when left out."
    ),
]
InsecureAgents = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        min=0,
        max=65535,
        help="Let agents without certificates in at this port, in clear, for trials: who knows the id of a VM "
        "can pass for it. Kept for later starts; 0 ends it.",
        show_default=False,
    ),
]


@app.command(epilog=example("prism-iac backend run"))
def run(data: Data = None, database: Database = "", insecure_agents: InsecureAgents = None) -> None:
    """Serve in the foreground until Ctrl-C."""
    from prism_iac.backend import load_settings, serve

    settings = load_settings(_folder(data), database_url=database)
    if insecure_agents is not None:
        settings = replace(settings, insecure_port=insecure_agents)
    serve(settings, on_ready=lambda found: emit(found.rest_url))


@app.command(epilog=example("prism-iac backend up"))
def up(
    data: Data = None,
    database: Database = "",
    insecure_agents: InsecureAgents = None,
    *,
    until_empty: Annotated[
        bool,
        typer.Option(
            "--until-empty",
            help="End by itself some seconds after the last computation, asset and VM was removed.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start in the background unless it runs, and wait until it is ready."""
    from prism_iac.backend import EMPTY_SECONDS, start
    from prism_iac.backend import status as status_of

    folder = _folder(data)
    # Who names a database or a port wants that one, which a running backend may not have.
    running = None if database or insecure_agents is not None else status_of(folder)
    _print(
        running
        or start(
            folder,
            database_url=database,
            insecure_port=insecure_agents,
            empty_seconds=EMPTY_SECONDS if until_empty else None,
        ),
        as_json=as_json,
    )


@app.command(epilog=example("prism-iac backend down"))
def down(data: Data = None) -> None:
    """Stop it and wait for its end."""
    from prism_iac.backend import stop

    emit("stopped" if stop(_folder(data)) else "not running")


@app.command(epilog=example("prism-iac backend status --json"))
def status(data: Data = None, *, as_json: AsJson = False) -> None:
    """Say where it runs; the exit code is 3 when it does not."""
    from prism_iac.backend import status as status_of

    found = status_of(_folder(data))
    if found is None:
        emit("{}" if as_json else "not running")
        raise typer.Exit(ExitCode.REMOTE)
    _print(found, as_json=as_json)


def _folder(data: Path | None) -> Path:
    return the_data_folder() / "backend" if data is None else data


def _print(found: Instance, *, as_json: bool) -> None:
    from prism_iac.cli._as_documents import instance_document

    if as_json:
        emit_json(instance_document(found))
        return
    emit_facts(
        (
            ("REST API", found.rest_url),
            ("control stream", found.control_address),
            *([("control stream, in clear", found.insecure_address)] if found.insecure_address else []),
            ("process", found.pid),
            ("started", found.started_at),
            ("version", found.version),
        )
    )
