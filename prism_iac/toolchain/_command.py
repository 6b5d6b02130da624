"""Runs a command that takes minutes: tells that it lives, ends it in time, keeps its last words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["CommandFailed", "LongCommand", "Report"]

Report = Callable[[str], None]
"""Takes one line of progress."""

_BEAT_SECONDS: Final = 15
_LAST_LINES: Final = 12


class CommandFailed(Exception):
    """The command did not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class LongCommand:
    """A command that takes minutes.

    Attributes:
        title: What it does, to be followed by `(45 s)`.
        arguments: The program and its arguments.
        limit_seconds: When it is ended.
        environ: Its whole environment.
        folder: Where it runs.
    """

    title: str
    arguments: Sequence[str]
    limit_seconds: int
    environ: Mapping[str, str]
    folder: Path

    def run(self, report: Report) -> None:
        """Run it to its end.

        Raises:
            CommandFailed: It cannot be started, fails, or takes too long.
        """
        report(self.title)
        # A file, not a pipe: nobody needs to read it while the command runs.
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(  # noqa: S603  # arguments of ours, no shell
                    self.arguments,
                    cwd=self.folder,
                    env=dict(self.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
            except OSError as error:
                raise CommandFailed(f"{self.arguments[0]} cannot be started: {error}") from error
            try:
                self._wait(process, report)
            finally:
                # Whatever it started ends with it, also when this process is interrupted.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.returncode != 0:
                said.seek(0)
                words = said.read().decode("utf-8", errors="replace").strip().splitlines()
                raise CommandFailed("\n".join(words[-_LAST_LINES:]) or f"code {process.returncode}")

    def _wait(self, process: subprocess.Popen[bytes], report: Report) -> None:
        for elapsed in range(0, self.limit_seconds, _BEAT_SECONDS):
            if elapsed:
                report(f"{self.title} ({elapsed} s)")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(_BEAT_SECONDS, self.limit_seconds - elapsed))
                return
        raise CommandFailed(f"not done within {self.limit_seconds} s")
