"""The page: what holds for every command, then each command's own help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import typer
from typer.main import get_command

from prism_iac.cli._app import app
from prism_iac.cli._exit_code import MEANINGS
from prism_iac.cli.reference._shapes import DOCUMENTS, shape_of

__all__ = ["reference_page"]

_WIDTH: Final = 100
_NAME: Final = "prism-iac"

_HEAD: Final = """\
# The command line

Made from the commands by `make generate`.

Results go to standard output, messages to standard error, so that a script can read the one and people the
other. With `--json` a command prints one document of the shape that stands below it; its fields keep their
names and types, and times are RFC 3339 in UTC. A command that cannot do its work prints none. Colours and
progress bars are for terminals; `NO_COLOR` turns colours off. `PRISM_IAC_TRACEBACK=1` shows where an error was
raised.

## Exit codes

| code | meaning |
| --- | --- |
{codes}

## Which Prism, as whom, where

Commands that ask Prism take these options:

- `--endpoint` or `PRISM_ENDPOINT`: the URL of a Prism. Without it, or as `embedded`, it is the backend of this
  machine: that of the data folder, which is `PRISM_IAC_DATA`, or else `.prism` in the nearest folder upwards
  that has a `.prism` or a `Pulumi.yaml`. Only `backend up` and `backend run` start it.
- `PRISM_TOKEN`, or `PRISM_USERNAME` and `PRISM_PASSWORD`: who calls a Prism that is named by its URL. The
  backend of this machine is called as its administrator, or with `--as` as a user whose password it keeps.
- `--workspace` or `PRISM_WORKSPACE`: a name, an alias or an id. Without it, the only workspace there is; where
  there are several, one must be named.

Commands that ask an agent (`algo`, `data`, `result`) find it by `--computation`, which looks up the latest run's
address and its TLS mode, or by `--address`. Without both, they go where `AGENT_GRPC_URL` points. Private keys
sign and stay where they are.

## Shell completion

`prism-iac --install-completion` installs it for the current shell. Names of computations and VMs are offered when
Prism answers within a second.
"""


def reference_page() -> str:
    """The page as Markdown."""
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    return "\n".join([_HEAD.format(codes=codes), *_sections()])


def _sections() -> Iterator[str]:
    root: Any = get_command(app)
    context = typer.Context(root, info_name=_NAME, terminal_width=_WIDTH, **root.context_settings)
    yield from _section(root, context)


def _section(command: Any, context: typer.Context) -> Iterator[str]:
    path = context.command_path
    yield f"## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"
    document = DOCUMENTS.get(path.removeprefix(f"{_NAME} "))
    if document is not None:
        yield f"With `--json`:\n\n```text\n{shape_of(document)}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _section(
            inner, typer.Context(inner, info_name=name, parent=context, terminal_width=_WIDTH)
        )
