"""Files and folders as the messages of an upload.

Source: cocos-grpc.md section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from prism_iac.agent._protocol import CHUNK_BYTES
from prism_iac.model import archive_folder

if TYPE_CHECKING:
    from prism_iac.wire.agent_pb2 import AlgoRequest, DataRequest

__all__ = ["Progress", "Upload", "algorithm_messages", "dataset_messages"]

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes in all; None when these are not known. Runs in another thread."""

_Message = TypeVar("_Message")


class Upload(Generic[_Message]):
    """An iterator that gRPC draws messages from in a thread of its own.

    Attributes:
        problem: What ended it early; gRPC itself only says that something did.
    """

    def __init__(self, messages: Iterator[_Message]) -> None:
        self._messages = messages
        self.problem: Exception | None = None

    def begin(self) -> None:
        """Read the first message, so that a file which cannot be read is told before anybody is called.

        Raises:
            OSError: A file cannot be read.
        """
        first = list(islice(self._messages, 1))
        self._messages = chain(first, self._messages)

    def __iter__(self) -> Iterator[_Message]:
        return self

    def __next__(self) -> _Message:
        try:
            return next(self._messages)
        except StopIteration:
            raise
        except Exception as error:
            self.problem = error
            raise


def algorithm_messages(
    algorithm: Path, requirements: Path | None, progress: Progress | None
) -> Iterator[AlgoRequest]:
    """The requirements' messages, then the algorithm's.

    Raises:
        OSError: A file cannot be read.
    """
    from prism_iac.wire.agent_pb2 import AlgoRequest

    if requirements is not None:
        for chunk in _file_chunks(requirements):
            yield AlgoRequest(requirements=chunk)
    for chunk in _counted(_file_chunks(algorithm), algorithm.stat().st_size, progress):
        yield AlgoRequest(algorithm=chunk)


def dataset_messages(path: Path, filename: str, progress: Progress | None) -> Iterator[DataRequest]:
    """The messages of a file, or of a folder's deterministic archive.

    Raises:
        OSError: A file cannot be read.
    """
    from prism_iac.wire.agent_pb2 import DataRequest

    if path.is_dir():
        chunks = _counted(_whole_chunks(archive_folder(path)), None, progress)
    else:
        chunks = _counted(_file_chunks(path), path.stat().st_size, progress)
    for chunk in chunks:
        yield DataRequest(dataset=chunk, filename=filename)


def _file_chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _whole_chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for block in blocks:
        buffer += block
        while len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer[:CHUNK_BYTES])
            del buffer[:CHUNK_BYTES]
    if buffer:
        yield bytes(buffer)


def _counted(chunks: Iterable[bytes], total: int | None, progress: Progress | None) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            progress(done, total)
