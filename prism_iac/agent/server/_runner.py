"""Runs the commands of an algorithm under supervision and forwards what they print.

Source: cocos-grpc.md section 2.5.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from prism_iac.agent.server import _supervisor
from prism_iac.agent.server._algorithm import Job, Step, steps_of
from prism_iac.agent.server._measurements import MeasurementList
from prism_iac.agent.server._pieces import LinePieces
from prism_iac.agent.server._refused import RunFailed
from prism_iac.agent.server._settings import RunLimits
from prism_iac.agent.server._workspace import Workspace

__all__ = ["Runner"]

_PIECE_BYTES: Final = 1024
_BLOCK_BYTES: Final = 1 << 16
_REPORT_BYTES: Final = 1 << 16
_MOST_WARNINGS: Final = 100
_END_WITHIN_SECONDS: Final = 10.0

_log = structlog.get_logger(__name__)


class Runner:
    """Runs one algorithm at a time.

    Args:
        environment: The agent's own; what an algorithm sees of it is decided in `_algorithm`.
        measurements: Takes down what is run; None in a VM without a platform.
    """

    def __init__(
        self,
        workspace: Workspace,
        limits: RunLimits,
        environment: Mapping[str, str],
        measurements: MeasurementList | None = None,
    ) -> None:
        self._workspace = workspace
        self._limits = limits
        self._environment = environment
        self._measurements = measurements

    async def run(self, job: Job, warn: Callable[[], None]) -> None:
        """Run an algorithm to its end. A cancellation ends all its processes first.

        Args:
            job: The algorithm.
            warn: Called when it writes to standard error, a hundred times at most.

        Raises:
            RunFailed: It could not be prepared or started, failed, or passed a limit.
            OSError: It cannot be read.
        """
        steps = steps_of(job, self._workspace, self._environment)
        try:
            async with asyncio.timeout(self._limits.run_seconds):
                if self._measurements is not None:
                    await self._measurements.measure(self._workspace.algorithm)
                for step in steps:
                    await self._run_step(step, warn)
        except TimeoutError:
            raise RunFailed(
                f"algorithm execution error: stopped after {self._limits.run_seconds} seconds, "
                "the time limit of a run"
            ) from None

    async def _run_step(self, step: Step, warn: Callable[[], None]) -> None:
        report_read, report_write = os.pipe()
        with os.fdopen(report_read, "rb") as report:
            try:
                supervisor = await self._start(step, report_write)
            finally:
                os.close(report_write)
            output = _Output(supervisor, step, warn)
            try:
                await output.forward()
                await supervisor.wait()
            finally:
                await _end(supervisor)
            outcome = json.loads(report.read(_REPORT_BYTES) or b'{"signal": 9}')
        if outcome.get("confined") is False:
            _log.warning("the kernel does not confine algorithms: this one could read the agent's files")
        problem = _problem(outcome)
        if "not_started" in outcome and step.is_algorithm:
            raise RunFailed(f"error starting algorithm: {problem}")
        if problem:
            raise RunFailed(": ".join(filter(None, (step.failure, problem, output.last_words))))

    async def _start(self, step: Step, report: int) -> asyncio.subprocess.Process:
        order = {
            "command": step.command,
            "memory_bytes": self._limits.memory_bytes,
            "processes": self._limits.processes,
            "readable": step.readable,
            "writable": str(self._workspace.folder),
            "report": report,
        }
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(Path(_supervisor.__file__)),
                json.dumps(order),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._workspace.folder,
                env=step.environment,
                start_new_session=True,
                pass_fds=(report,),
                limit=_BLOCK_BYTES,
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A cancellation within asyncio's own start can wait for ever for pipes that are not open yet.
            await _end(await starting)
            raise


class _Output:
    """What a step prints: lines of standard output as debug, of standard error as errors.

    Attributes:
        last_words: The last line of a preparation's standard error, to explain its failure; empty for an
            algorithm, whose output may hold data.
    """

    def __init__(self, process: asyncio.subprocess.Process, step: Step, warn: Callable[[], None]) -> None:
        self._process = process
        self._step = step
        self._warn = warn
        self._warnings_left = _MOST_WARNINGS
        self.last_words = ""

    async def forward(self) -> None:
        """Forward until both streams end."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward(self._process.stdout, _log.debug))
            group.create_task(self._forward(self._process.stderr, self._error, on_block=self._count_warning))

    async def _forward(
        self,
        stream: asyncio.StreamReader,
        emit: Callable[[str], None],
        *,
        on_block: Callable[[], None] = lambda: None,
    ) -> None:
        pieces = LinePieces(_PIECE_BYTES)
        while block := await stream.read(_BLOCK_BYTES):
            on_block()
            for piece in pieces.feed(block):
                emit(piece)
        for piece in pieces.flush():
            emit(piece)

    def _error(self, piece: str) -> None:
        _log.error(piece)
        if not self._step.is_algorithm:
            self.last_words = piece.strip() or self.last_words

    def _count_warning(self) -> None:
        if self._step.is_algorithm and self._warnings_left:
            self._warnings_left -= 1
            self._warn()


def _problem(outcome: Mapping[str, Any]) -> str:
    match outcome:
        case {"exit": 0}:
            return ""
        case {"exit": code}:
            return f"exit status {code}"
        case {"signal": number}:
            return f"signal: {(signal.strsignal(number) or str(number)).lower()}"
        case {"too_many_processes": limit}:
            return f"stopped: it had more than {limit} processes, the limit of a run"
        case {"not_started": reason}:
            return str(reason)
        case _:
            return "stopped"


async def _end(supervisor: asyncio.subprocess.Process) -> None:
    """Have the supervisor end what it runs, and wait for that."""
    if supervisor.returncode is not None:
        return
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    try:
        async with asyncio.timeout(_END_WITHIN_SECONDS), asyncio.TaskGroup() as group:
            # Its end is not seen before that of its output, which nobody reads any more.
            group.create_task(_discard(supervisor.stdout))
            group.create_task(_discard(supervisor.stderr))
            group.create_task(supervisor.wait())
    except TimeoutError:
        supervisor.kill()


async def _discard(stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    while await stream.read(_BLOCK_BYTES):
        continue
