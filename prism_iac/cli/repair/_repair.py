"""`prism-iac repair`: settles what an update that was killed left open."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._output import emit, emit_json, emit_table, moment, say

if TYPE_CHECKING:
    from prism_iac.cli._documents import LockDocument, OperationDocument, RepairDocument, UnlistedDocument
    from prism_iac.cli.repair._lock import Lock
    from prism_iac.cli.repair._review import Review
    from prism_iac.provider.repair import Decision, Unlisted

__all__ = ["Form", "repair", "unlisted_document"]


class Form(StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"


def repair(
    *,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell everything, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TEXT,
) -> None:
    """Settle the operations of an update that was killed, from what its peers have.

    Tells of each operation what becomes of it and why, and asks before it writes. What a create made comes into the
    state; what an update changed, too; what a delete removed leaves it. A copy of the state is kept in a file first. A
    lock is removed only when its process was one of this machine and is gone. The exit code is 1 where an operation is
    left, as when its peer does not answer.
    """
    from prism_iac.cli.repair._review import reviewed
    from prism_iac.provider.repair import Outcome

    if form is Form.JSON and not (yes or dry_run):
        raise typer.BadParameter("a program is not asked: say --yes or --dry-run", param_hint="--format json")
    with reviewed(stack, may_start=not dry_run) as review:
        decisions, is_open = review.decisions, bool(review.decisions or review.locks)
        if form is Form.TEXT:
            _tell(review)
        is_done = False
        if is_open and not dry_run:
            if not yes:
                typer.confirm("Do it?", abort=True, err=True)
            decisions, is_done = review.settle(), True
        if form is Form.JSON:
            emit_json(_document(review, decisions, is_done=is_done))
        elif is_done:
            emit(f"{review.engine.stack_name}: settled")
    if any(item.outcome is Outcome.LEFT for item in decisions):
        say("some operations are left as they are; run it again when their cause is gone")
        raise typer.Exit(ExitCode.REFUSED)


def _tell(review: Review) -> None:
    if not review.decisions and not review.locks:
        say("no operation was cut off; nothing is to be done")
    for lock in review.locks:
        what = (
            "is stale, its process is gone" if lock.is_stale else "may be that of an update that is going on"
        )
        say(f"the lock of {lock} {what}")
    if review.decisions:
        emit_table(
            ("OPERATION", "KIND", "NAME", "OUTCOME", "REASON"),
            (
                (
                    item.pending.operation,
                    item.pending.kind or str(item.pending.resource["type"]),
                    item.pending.name,
                    item.outcome,
                    item.reason,
                )
                for item in review.decisions
            ),
        )
    for item in review.unlisted:
        say(str(item))


def _document(review: Review, decisions: tuple[Decision, ...], *, is_done: bool) -> RepairDocument:
    return {
        "stack": review.engine.stack_name,
        "done": is_done,
        "locks": [_lock_document(lock) for lock in review.locks],
        "operations": [_operation_document(item) for item in decisions],
        "unlisted": [unlisted_document(item) for item in review.unlisted],
    }


def _lock_document(lock: Lock) -> LockDocument:
    return {
        "file": str(lock.path),
        "pid": lock.pid,
        "user": lock.user,
        "host": lock.host,
        "since": lock.since,
        "stale": lock.is_stale,
    }


def _operation_document(decision: Decision) -> OperationDocument:
    resource = decision.after or decision.before or decision.pending.resource
    return {
        "urn": decision.pending.urn,
        "operation": decision.pending.operation,
        "kind": decision.pending.kind,
        "name": decision.pending.name,
        "id": resource.get("id"),
        "outcome": decision.outcome,
        "reason": decision.reason,
    }


def unlisted_document(item: Unlisted) -> UnlistedDocument:
    """What may exist and nobody lists, as `--format json` prints it."""
    return {"name": item.name, "manager": item.manager, "until": moment(item.until) or ""}
