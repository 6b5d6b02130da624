"""Runs a program that must end by itself: whoever asks this process to end asks that one."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

__all__ = ["run_to_its_end"]

_HANDED_ON: Final = (signal.SIGINT, signal.SIGTERM)


def run_to_its_end(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], text: str, is_shown: bool
) -> subprocess.CompletedProcess[str]:
    """Run a program and wait for its end; an interrupt and a termination are handed on to it.

    `subprocess.run` kills its program a quarter of a second after an interrupt. An engine that is killed writes
    no state and leaves its lock; one that is interrupted does both, and a second time ends at once.

    Args:
        command: The program and its arguments.
        cwd: The folder that it runs in.
        env: Its variables.
        text: What it reads from standard input.
        is_shown: People see what it prints as it comes; nothing is captured.
    """
    output = None if is_shown else subprocess.PIPE
    # In a group of its own a terminal's Ctrl-C comes to it once, by this process.
    process = subprocess.Popen(  # noqa: S603  # the caller's program, no shell
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        text=True,
        process_group=0,
    )
    with _handing_on_to(process):
        said, warned = process.communicate(text)
    return subprocess.CompletedProcess(command, process.returncode, said, warned)


@contextmanager
def _handing_on_to(process: subprocess.Popen[str]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Signals come to the main thread, which is not ours to change from here.
        yield
        return

    def hand_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in _HANDED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
