"""`prism-iac orphans`: what carries a mark of ours and is in no state."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._lookup import by_name_or_id
from prism_iac.cli._output import emit_json, emit_table, printable, say
from prism_iac.cli.repair._repair import Form, unlisted_document
from prism_iac.errors import PrismError

if TYPE_CHECKING:
    from prism_iac.cli._documents import OrphanDocument
    from prism_iac.provider.repair import Orphan, Services, Unlisted

__all__ = ["orphans"]


def orphans(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ORPHAN]...", help="Ids or names; whatever the stacks own without any."),
    ] = None,
    *,
    stacks: Annotated[
        list[str] | None,
        typer.Option(
            "--stack", metavar="NAME", help="A Pulumi stack, repeatable; the selected one when left out."
        ),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TEXT,
) -> None:
    """List computations, assets and VMs that carry a mark of ours and are in no state of the given stacks.

    Looks in the workspaces that the stacks name, and at the VMs of this machine. OF says which resource of which stack an
    object was made for. Those of other stacks and projects, of imports, and of resources that nobody remembers have no
    name there: --delete takes them only when they are named. What carries no mark is never shown. What the program
    declares and the state does not have is among them: an update takes that up.
    """
    from prism_iac.cli.plan._preview import stack_name
    from prism_iac.cli.repair._known_marks import marks_of
    from prism_iac.cli.repair._lock import require_unlocked
    from prism_iac.cli.repair._review import services_of, stack_locks
    from prism_iac.provider.repair import find_orphans, unlisted

    with ExitStack() as closing:
        given: dict[str, Services] = {}
        for stack in map(stack_name, stacks or (None,)):
            if delete:
                # What an update is making is in no state yet.
                require_unlocked(stack_locks(stack))
            given[stack] = closing.enter_context(services_of(stack, may_start=delete))
        found = _chosen(find_orphans(given, marks_of(given)), names or [])
        now = datetime.now(UTC)
        machines = [item for services in given.values() for item in unlisted(services.state.resources, now)]
        _show(found, machines, form)
        doomed = [orphan for orphan in found if orphan.owner is not None or names]
        if not delete:
            return
        if spared := len(found) - len(doomed):
            say(f"{spared} of them are of no given stack and stay; name those that shall go")
        if doomed and not yes:
            typer.confirm(f"Remove {len(doomed)} for good?", abort=True, err=True)
        are_gone = [_remove(orphan) for orphan in doomed]
    if not all(are_gone):
        raise typer.Exit(ExitCode.REFUSED)


def _remove(orphan: Orphan) -> bool:
    from prism_iac.provider.repair import remove_orphan

    try:
        remove_orphan(orphan)
    except PrismError as error:
        say(printable(f"{orphan.what} {orphan.name}: not removed: {error}", keep_lines=True))
        return False
    say(printable(f"{orphan.what} {orphan.name}: removed"))
    return True


def _chosen(found: list[Orphan], names: list[str]) -> list[Orphan]:
    return [by_name_or_id(found, name, what="orphan") for name in dict.fromkeys(names)] if names else found


def _show(found: list[Orphan], machines: list[Unlisted], form: Form) -> None:
    if form is Form.JSON:
        emit_json(
            {
                "orphans": [_document(orphan) for orphan in found],
                "unlisted": [unlisted_document(item) for item in machines],
            }
        )
        return
    if found:
        emit_table(
            ("KIND", "NAME", "WORKSPACE", "OF", "ID"),
            ((item.what, item.name, item.workspace, _owner(item), item.id) for item in found),
        )
    else:
        say("there is no orphan")
    for item in machines:
        say(str(item))


def _owner(orphan: Orphan) -> str | None:
    return f"{orphan.owner.name} of {orphan.owner.stack}" if orphan.owner else None


def _document(orphan: Orphan) -> OrphanDocument:
    return {
        "kind": orphan.what,
        "id": orphan.id,
        "name": orphan.name,
        "workspace": orphan.workspace or None,
        "stack": orphan.owner.stack if orphan.owner else None,
        "resource": orphan.owner.name if orphan.owner else None,
    }
