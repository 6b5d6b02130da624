"""Serves the language host until the CLI that started it ends it, or is gone itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from prism_iac.toolchain._host._servicer import LanguageHost

# The largest message that the engine takes.
_MESSAGE_BYTES: Final = 400 * 1024 * 1024
_PARENT_SECONDS: Final = 1.0


async def _serve(engine_address: str) -> None:
    parent = os.getppid()
    host = LanguageHost(engine_address)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", _MESSAGE_BYTES)])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    # The CLI reads the port from the first line, and shows every later one to the user.
    print(port, flush=True)  # noqa: T201  # the protocol
    await _end_of(parent)
    await host.end_programs()
    await server.stop(grace=None)


async def _end_of(parent: int) -> None:
    """Wait for a signal to end, or for the end of the CLI, which may be killed without a word."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _PARENT_SECONDS)


if __name__ == "__main__":
    # Options for logs and traces may come first; the address is last.
    asyncio.run(_serve(sys.argv[-1]))
