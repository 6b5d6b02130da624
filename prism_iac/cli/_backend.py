"""`prism-iac backend`: the embedded Prism of this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

__all__ = ["app"]

app: Final = typer.Typer(help="The embedded Prism of this machine.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The folder in which it keeps everything.", show_default=True)]
Database = Annotated[
    str, typer.Option(help="A database URL, kept for later starts; SQLite in the folder when left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_FOLDER: Final = Path(".prism/backend")
_NOT_RUNNING: Final = 3


@app.command()
def run(data: Data = _FOLDER, database: Database = "") -> None:
    """Serve in the foreground until Ctrl-C."""
    from prism_iac.backend import load_settings, serve

    serve(load_settings(data, database_url=database), on_ready=lambda found: typer.echo(found.rest_url))


@app.command()
def up(data: Data = _FOLDER, database: Database = "", *, as_json: AsJson = False) -> None:
    """Start in the background and wait until it is ready."""
    from prism_iac.backend import start

    _print(asdict(start(data, database_url=database)), as_json=as_json)


@app.command()
def down(data: Data = _FOLDER) -> None:
    """Stop it and wait for its end."""
    from prism_iac.backend import stop

    typer.echo("stopped" if stop(data) else "not running")


@app.command()
def status(data: Data = _FOLDER, *, as_json: AsJson = False) -> None:
    """Say where it runs; exit code 3 when it does not."""
    from prism_iac.backend import status as status_of

    found = status_of(data)
    if found is None:
        typer.echo("{}" if as_json else "not running")
        raise typer.Exit(_NOT_RUNNING)
    _print(asdict(found), as_json=as_json)


def _print(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' ')}: {value}")
