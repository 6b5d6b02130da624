"""Processes that the host runs for the engine."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Chunk", "Command", "end"]

_GRACE_SECONDS: Final = 5.0
_CHUNK_BYTES: Final = 64 * 1024
_CHUNKS_AHEAD: Final = 16


class Chunk(NamedTuple):
    """What came out of one pipe of a process; no bytes mean its end."""

    data: bytes
    is_error: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the interpreter.

    Attributes:
        arguments: The program and its arguments.
        folder: Where it runs.
        environ: Its whole environment.
    """

    arguments: Sequence[str]
    folder: Path
    environ: Mapping[str, str]

    @asynccontextmanager
    async def started(self, *, piped: bool) -> AsyncIterator[Process]:
        """The running process, ended when the context is left early.

        Args:
            piped: Its output is read from here; else it goes where the host's own goes, which the CLI
                shows to the user as it comes.
        """
        pipe = PIPE if piped else None
        process = await asyncio.create_subprocess_exec(
            *self.arguments, cwd=self.folder, env=self.environ, stdin=DEVNULL, stdout=pipe, stderr=pipe
        )
        try:
            yield process
        finally:
            await end(process)

    async def output(self) -> AsyncGenerator[Chunk | int, None]:
        """What the process says, as it comes, and its exit code at last."""
        async with self.started(piped=True) as process, aclosing(_chunks(process)) as chunks:
            async for chunk in chunks:
                yield chunk
            yield await process.wait()


async def end(process: Process) -> None:
    """End a process and wait for it: asked first, killed when it does not listen."""
    for ask in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            ask()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)


async def _chunks(process: Process) -> AsyncGenerator[Chunk, None]:
    """The output of both pipes until both are at their end."""
    ahead: asyncio.Queue[Chunk] = asyncio.Queue(_CHUNKS_AHEAD)
    assert process.stdout is not None, "the process was started with pipes"
    assert process.stderr is not None, "the process was started with pipes"
    pumps = [
        asyncio.create_task(_pump(process.stdout, ahead, is_error=False)),
        asyncio.create_task(_pump(process.stderr, ahead, is_error=True)),
    ]
    try:
        still_open = len(pumps)
        while still_open:
            chunk = await ahead.get()
            if chunk.data:
                yield chunk
            else:
                still_open -= 1
    finally:
        for pump in pumps:
            pump.cancel()


async def _pump(stream: asyncio.StreamReader, ahead: asyncio.Queue[Chunk], *, is_error: bool) -> None:
    while data := await stream.read(_CHUNK_BYTES):
        await ahead.put(Chunk(data, is_error))
    await ahead.put(Chunk(b"", is_error))
