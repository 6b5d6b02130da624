"""Processes that make or remove a VM and are killed at a chosen point of it."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_iac.hypervisor import Hypervisor, VmSpec
from prism_iac.hypervisor.local import LocalHypervisor
from tests.unit.hypervisor.conftest import SPEC, STAND_IN

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["prism_iac.hypervisor.local"])


@dataclass(frozen=True)
class Point:
    """One side of one call of a function, by its module and its name there."""

    side: str
    module: str
    name: str
    call: int = 1

    def __str__(self) -> str:
        return f"{self.side} call {self.call} of {self.name}"


def local(data: Path) -> Hypervisor:
    """The driver that is killed unless another is named."""
    return LocalHypervisor(data, command=STAND_IN, grace_seconds=0)


def end_of(
    data: Path,
    action: str,
    point: Point | None = None,
    *,
    opened: Callable[[Path], Hypervisor] = local,
    spec: VmSpec = SPEC,
) -> int:
    """Run `create` or `remove` in a process of its own; gives its exit code, negative for a signal."""
    process = _processes.Process(target=_act, args=(data, action, point, opened, spec))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _act(
    data: Path, action: str, point: Point | None, opened: Callable[[Path], Hypervisor], spec: VmSpec
) -> None:
    if point is not None:
        _arm(point)
    hypervisor = opened(data)
    if action == "create":
        hypervisor.create(spec)
    else:
        hypervisor.remove(spec.id)
    if point is None:
        _die()


def _arm(point: Point) -> None:
    owner: Any = importlib.import_module(point.module)
    *path, name = point.name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.call and point.side == "before":
            _die()
        result = original(*arguments, **options)
        if calls == point.call and point.side == "after":
            _die()
        return result

    setattr(owner, name, dying)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
