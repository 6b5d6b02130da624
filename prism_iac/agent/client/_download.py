"""A stream of chunks with its size announced, written to a file or held in memory.

Source: cocos-grpc.md section 2.2.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from prism_iac.agent._protocol import Header
from prism_iac.agent.client._failures import AgentFailed
from prism_iac.agent.client._upload import Progress

if TYPE_CHECKING:
    from prism_iac.wire.agent_pb2 import AttestationResponse, ResultResponse

__all__ = ["FileStream", "chunks_of", "write_when_whole"]


class FileStream(Protocol):
    """A call that answers with a file in chunks."""

    def initial_metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """The agent's header; waits for it."""

    def __iter__(self) -> Iterator[ResultResponse] | Iterator[AttestationResponse]: ...


def chunks_of(
    stream: FileStream,
    progress: Progress | None,
    *,
    where: str,
    most_bytes: int | None = None,
) -> Iterator[bytes]:
    """The chunks of a stream, which must have exactly as many bytes as its header says.

    Args:
        stream: The call.
        progress: Told of every chunk.
        where: Whom an error names.
        most_bytes: What no honest answer exceeds, where it is held in memory.

    Raises:
        AgentFailed: It says nothing, more than it may, or there are more or fewer.
        RpcError: The call failed.
    """
    size = _announced_size(stream)
    if most_bytes is not None and size is not None and size > most_bytes:
        raise _too_large(size, most_bytes, where)
    done = 0
    for message in stream:
        done += len(message.file)
        if size is None or done > size:
            raise _failed(done, size, where)
        yield message.file
        if progress is not None:
            progress(done, size)
    if done != size:
        raise _failed(done, size, where)


def _announced_size(stream: FileStream) -> int | None:
    sizes = [str(value) for key, value in stream.initial_metadata() if key == Header.FILE_SIZE]
    return int(sizes[0]) if sizes and sizes[0].isdecimal() else None


def write_when_whole(chunks: Iterator[bytes], destination: Path) -> None:
    """Write a file that appears under its name only when it is whole; an older one stays until then.

    Raises:
        OSError: The folder cannot be written.
    """
    descriptor, name = tempfile.mkstemp(
        dir=destination.parent, prefix=f".{destination.name}.", suffix=".part"
    )
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        part.replace(destination)
    except BaseException:
        part.unlink()
        raise


def _too_large(size: int, most_bytes: int, where: str) -> AgentFailed:
    return AgentFailed(
        f"the agent announced {size} bytes, where at most {most_bytes} are taken",
        code="OK",
        agent_text="",
        where=where,
        next_step="Check the address: this is not what an agent answers.",
    )


def _failed(done: int, size: int | None, where: str) -> AgentFailed:
    announced = "no size" if size is None else f"{size} bytes"
    return AgentFailed(
        f"the agent announced {announced} and sent {done} bytes",
        code="OK",
        agent_text="",
        where=where,
        next_step="Fetch it again; a result stays at the agent.",
        retry_is_safe=True,
    )
