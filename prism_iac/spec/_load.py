"""From a file on disk to a stack, or to everything that is wrong with it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prism_iac.errors import Finding, InvalidInput
from prism_iac.spec._draft import read_draft
from prism_iac.spec._extend import read_tree
from prism_iac.spec._inputs import Inputs
from prism_iac.spec._resolve import resolve
from prism_iac.spec._stack import Stack
from prism_iac.spec.checks import CHECKS

__all__ = ["load_stack", "validate_stack"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def load_stack(
    path: Path, *, environ: Mapping[str, str] = os.environ, now: Callable[[], datetime] = _utc_now
) -> Stack:
    """A stack file with what it extends, validated and resolved.

    Args:
        path: The file; findings name it as it is written here.
        environ: The environment; only `HOME` is looked at, for paths that begin with `~/`.
        now: The clock that certificates are checked against.

    Raises:
        InvalidInput: With every finding of every kind, sorted by place.
    """
    with _without_collections():
        reading = read_tree(path)
        if reading.expansion is None:
            raise InvalidInput(reading.findings)
        draft, findings = read_draft(reading.expansion.root, inputs=Inputs.of(environ), now=now())
        for check in CHECKS:
            findings.extend(check(draft))
        if findings or reading.findings:
            raise InvalidInput({*reading.findings, *reading.expansion.told_once(findings)})
        return resolve(draft, reading.files, reading.expansion)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Keeps the collector from looking for garbage in a large tree, again and again: there is none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def validate_stack(
    path: Path, *, environ: Mapping[str, str] = os.environ, now: Callable[[], datetime] = _utc_now
) -> tuple[Finding, ...]:
    """Everything that is wrong with a stack file, sorted by place; empty when it is fine.

    Args:
        path: The file; findings name it as it is written here.
        environ: As for `load_stack`.
        now: As for `load_stack`.
    """
    try:
        load_stack(path, environ=environ, now=now)
    except InvalidInput as error:
        return tuple(error.findings)
    return ()
