"""`prism-iac adopt`: takes what lives in a workspace under the management of a stack."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import emit_table, printable, say
from prism_iac.cli._prism import EMBEDDED, Prism, the_data_folder
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.exchange import StackText
    from prism_iac.lifecycle import Context, Session

__all__ = ["adopt"]

_BY_HAND: Final = "Run it in the folder of a platform repository, or make one."


@given(Prism)
def adopt(
    prism: Prism,
    computations: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPUTATION]...", help="Names or ids; all without any.")
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The stack file to write; stacks/<stack>.yaml when left out."),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a stack file that is there.")] = False,
) -> None:
    """Take computations with their assets and participants under management.

    Writes a stack file, which the program has to load, and brings the objects into the state of the stack.
    It refuses to finish unless the next preview is empty: the state, which is kept in a file first, is put
    back then, and nothing at Prism has changed.
    """
    from prism_iac.cli._lookup import by_name_or_id
    from prism_iac.cli._pulumi import project_folder
    from prism_iac.cli.exchange._engine import PulumiEngine
    from prism_iac.exchange import LiveObjects, export_definitions, mark_adopted, stack_file
    from prism_iac.exchange import adopt as adopt_objects
    from prism_iac.spec import validate_stack

    engine = PulumiEngine(stack)
    project = project_folder(Path.cwd(), _BY_HAND)
    path = file or project / "stacks" / f"{engine.stack_name}.yaml"
    listed = list(prism.workspace.computations.list())
    only = [by_name_or_id(listed, name, what="computation").id for name in computations or []]
    session = _session(prism)
    try:
        definitions = export_definitions(prism.workspace, only=only, with_samples=False)
        written = stack_file(
            definitions,
            environment=engine.stack_name,
            workspace=prism.domain.name,
            endpoint=prism.endpoint,
            name_of=session.name_of,
            pem_folder=path.stem,
        )
        for line in written.left_out:
            say(printable(line))
        if not written.computations:
            raise Conflict("nothing can be adopted", next_step="See above why, or choose another workspace.")
        _write(path, written, force=force)
        validate_stack(path)
        objects = LiveObjects(
            session, written.assets, lambda name, identity: _context(name, identity, session)
        )
        adopted = adopt_objects(
            engine,
            objects,
            expected=written.computations,
            keep=engine.keep,
        )
        for asset in mark_adopted(adopted, session):
            say(printable(f"{asset}: its provider alone can let it carry the mark of its resource"))
        emit_table(("KIND", "ID"), ((live.state.kind, live.id) for live in adopted))
        say(f"adopted {len(adopted)} objects; {path} declares them, and the preview is empty")
    finally:
        session.close()


def _session(prism: Prism) -> Session:
    from prism_iac.lifecycle import Session, Settings

    return Session(
        Settings(
            endpoint=prism.endpoint,
            data=the_data_folder(),
            credentials=None if prism.endpoint == EMBEDDED else prism.credentials,
            workspace=prism.domain.name,
        )
    )


def _context(name: str, identity: str, session: Session) -> Context:
    from prism_iac.lifecycle import Context

    return Context(
        name=name,
        identity=identity,
        session=session,
        default_workspace=session.settings.workspace,
        now=lambda: datetime.now(UTC),
        pause=time.sleep,
        report=lambda line: say(printable(f"{name}: {line}")),
    )


def _write(path: Path, written: StackText, *, force: bool) -> None:
    from prism_iac.cli._files import PRIVATE, PUBLIC, require_absent, write_file

    if not force:
        require_absent(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for pem in written.pem_files:
        target = path.parent / pem.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, pem.text.encode(), mode=PRIVATE if pem.is_private else PUBLIC, force=force)
    write_file(path, written.text.encode(), mode=PUBLIC, force=force)
