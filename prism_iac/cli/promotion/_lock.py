"""`prism-iac lock`: pins what a stack file is resolved to."""

from __future__ import annotations

from typing import Annotated

import typer

from prism_iac.cli._exit_code import ExitCode
from prism_iac.cli._files import PUBLIC, write_file
from prism_iac.cli._output import emit, say
from prism_iac.cli.promotion._options import StackPath

__all__ = ["lock"]


def lock(
    *,
    stack: StackPath,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where the lock says something else.")
    ] = False,
) -> None:
    """Write the lock of a stack file: what its files are, to the digest.

    It lies beside the stack file, as `dev.lock.yaml` beside `dev.yaml`, and belongs in the repository. A
    preview or update of files that it does not say is refused. Comments in it stay. An environment that
    takes promotions gets its lock from `prism-iac promote`.
    """
    from prism_iac.errors import Conflict
    from prism_iac.spec import load_stack
    from prism_iac.spec.lock import differences, edit_lock, lock_path, read_lock, resolve_pins

    loaded = load_stack(stack)
    pins = resolve_pins(loaded)
    path = lock_path(stack)
    locked = read_lock(stack)
    changed = [*differences(locked, pins, stack)] if locked else []
    if check:
        for finding in changed:
            say(str(finding))
        if locked is None:
            say(f"{path}: there is no such file\n  Write it with `prism-iac lock --stack {stack}`.")
        if changed or locked is None:
            raise typer.Exit(ExitCode.REFUSED)
        emit(f"{path}: nothing is wrong")
        return
    if loaded.promotion is not None:
        raise Conflict(
            "this environment takes promotions, which write its lock",
            where=str(stack),
            next_step=f"Run `prism-iac promote` into {loaded.environment}, or remove `promotion:` first.",
        )
    text = path.read_text(encoding="utf-8") if locked else None
    write_file(path, edit_lock(text, pins).encode(), mode=PUBLIC, force=True)
    for finding in changed:
        say(f"{finding.path}: {finding.message}")
    emit(str(path))
