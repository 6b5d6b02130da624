"""Holds the files of a stack against its lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import path_text
from prism_iac.model.stack import LockFile
from prism_iac.spec._stack import Stack
from prism_iac.spec.lock._file import Locked, lock_path, read_lock
from prism_iac.spec.lock._pins import resolve_pins

__all__ = ["differences", "require_lock"]


def require_lock(stack_file: Path, stack: Stack) -> None:
    """Refuse files that say something else than the lock beside them.

    Without a lock file nothing is asked for, unless the stack says `locked: true` or `promotion:`.

    Raises:
        InvalidInput: With a finding for each difference.
    """
    locked = read_lock(stack_file)
    if locked is not None:
        findings = [*differences(locked, resolve_pins(stack), stack_file)]
        if findings:
            raise InvalidInput(findings)
    elif stack.promotion is not None:
        raise _no_lock(stack_file, stack, "promotion", "Bring it with `prism-iac promote`.")
    elif stack.locked:
        raise _no_lock(stack_file, stack, "locked", f"Run {_lock_command(stack_file)}.")


def differences(locked: Locked, found: LockFile, stack_file: Path) -> Iterator[Finding]:
    """A finding for each pin that the lock and the files do not agree on."""
    said, says = (_flat(pins.model_dump(mode="json", exclude_none=True)) for pins in (locked.pins, found))
    for location in sorted({*said, *says}):
        if said.get(location) != says.get(location):
            yield Finding(
                *locked.place(*location),
                path_text(location),
                f"the lock says {said.get(location, 'nothing')}, the files say {says.get(location, 'nothing')}",
                f"Bring the files back, or run {_lock_command(stack_file)}.",
            )


def _no_lock(stack_file: Path, stack: Stack, field: str, fix: str) -> InvalidInput:
    message = f"an update needs {lock_path(stack_file)}, and there is no such file"
    return InvalidInput([Finding(*stack.origin(field), field, message, fix)])


def _lock_command(stack_file: Path) -> str:
    return f"`prism-iac lock --stack {stack_file}`"


def _flat(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    flat: dict[tuple[str, ...], Any] = {}
    for name, value in values.items():
        location = (*above, name)
        flat |= _flat(value, location) if isinstance(value, Mapping) else {location: value}
    return flat
