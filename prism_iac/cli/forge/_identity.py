"""`prism-iac identity`: the short-lived ID token of a job, in place of a credential that lasts."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli._output import emit, emit_json
from prism_iac.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from prism_iac.forge import Trust

__all__ = ["app"]

app: Final = typer.Typer(
    help="The short-lived ID token of a job, in place of a credential that lasts.", no_args_is_help=True
)

_LONGEST_TOKEN_BYTES: Final = 1 << 16


@app.command(
    epilog=example('prism-iac identity token --audience urn:pulumi:org:ORG --output "$RUNNER_TEMP/identity"')
)
def token(
    *,
    audience: Annotated[str, typer.Option(metavar="NAME", help="For whom it is; nobody else accepts it.")],
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Write it there, for this user alone; one that is there is replaced."
        ),
    ],
) -> None:
    """Ask GitHub for the ID token of this job. It ends within minutes, and says which workflow asked, and where."""
    from prism_iac.cli._files import PRIVATE, write_file
    from prism_iac.forge import fetch_identity

    write_file(output, fetch_identity(os.environ, audience).encode(), mode=PRIVATE, force=True)
    emit(f"{output}: for {audience}")


@app.command(epilog=example('prism-iac identity verify --trust trust.yaml < "$TOKEN_FILE"'))
def verify(
    *,
    trust: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Which jobs are trusted, as YAML."),
    ],
) -> None:
    """Say whether the ID token on standard input is that of a job which is trusted; print its claims.

    It is for whoever gives something to jobs. The file has `issuer`, `audience` and `claims`: each claim must be
    there, word for word. The issuer is asked for its keys. The exit code is 4 where the token is not trusted.
    """
    from prism_iac.forge import fetch_keys, verify_identity

    trusted = _trust(trust)
    shown = sys.stdin.buffer.read(_LONGEST_TOKEN_BYTES).decode("ascii", "replace").strip()
    emit_json(dict(verify_identity(shown, trusted, fetch_keys(trusted.issuer), datetime.now(UTC))))


def _trust(path: Path) -> Trust:
    import yaml
    from pydantic import ValidationError

    from prism_iac.forge import Trust

    try:
        return Trust.model_validate(yaml.safe_load(path.read_bytes()))
    except (yaml.YAMLError, ValidationError) as error:
        first = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
        raise InvalidInput(
            [
                Finding(
                    file=str(path),
                    line=1,
                    column=1,
                    path=".".join(map(str, first["loc"])) if first else "",
                    message=f"does not say which jobs are trusted: {first['msg'] if first else 'it is no YAML'}",
                    fix="See the page on pull requests for one.",
                )
            ]
        ) from error
