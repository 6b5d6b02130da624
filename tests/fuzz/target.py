"""What is fuzzed, and what may come of it: a value, or an error that is meant for people."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from prism_iac.errors import Defect, InvalidInput, PrismError

__all__ = [
    "CORPUS",
    "FOUND",
    "Speechless",
    "Target",
    "TooSlow",
    "ask",
    "corpus_of",
    "reads_file",
    "scratch",
    "time_limit",
]

CORPUS: Final = Path(__file__).parent / "corpus"
FOUND: Final = Path(".fuzz")
"""What runs find: corpora that grow, and inputs that something is wrong with."""


class Speechless(AssertionError):
    """A refusal does not say what is wrong, or where."""


class TooSlow(AssertionError):
    """An input took longer than any may."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser of what others wrote.

    Attributes:
        name: Also that of the folder of its corpus.
        read: Takes the bytes, and checks what it can of the value: that what is printed of it reads the same.
        seeds: Makes inputs that are accepted; they are kept in the corpus.
        refusals: What it may raise; of the package's errors all but defects.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    refusals: tuple[type[Exception], ...] = (PrismError,)


def ask(target: Target, data: bytes) -> bool:
    """Let a target read; gives whether it accepted the input.

    Raises:
        Speechless: The refusal says nothing.
        Exception: Whatever it should not have raised.
    """
    try:
        target.read(data)
    except Defect:
        raise
    except target.refusals as error:
        said = [item.message for item in error.findings] if isinstance(error, InvalidInput) else [str(error)]
        if not said or not all(text.strip() for text in said):
            raise Speechless(f"{type(error).__name__} says nothing") from error
        return False
    return True


def reads_file(
    name: str, read: Callable[[Path], object], *, beside: Callable[[Path], None] | None = None
) -> Callable[[bytes], object]:
    """A reader of bytes from a reader of a file, whose refusals must name the file.

    Args:
        name: What the file is called.
        read: The reader.
        beside: Writes what lies beside the file, once.
    """

    @cache
    def place() -> Path:
        folder = scratch()
        if beside is not None:
            beside(folder)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def read_bytes(data: bytes) -> object:
        path = place()
        path.write_bytes(data)
        try:
            return read(path)
        except PrismError as error:
            if str(path.parent) not in str(error):
                raise Speechless(f"{type(error).__name__} does not say where: {error}") from error
            raise

    return read_bytes


@cache
def _scratch_root() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="prism-iac-fuzz-")


def scratch() -> Path:
    """A new folder, which ends with the process."""
    return Path(tempfile.mkdtemp(dir=_scratch_root().name))


def corpus_of(target: Target, *folders: Path) -> list[bytes]:
    """The inputs that are kept of a target, in the order of their names."""
    places = [folder / target.name for folder in folders or (CORPUS,)]
    return [path.read_bytes() for place in places if place.is_dir() for path in sorted(place.iterdir())]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End what takes longer, in the main thread.

    Raises:
        TooSlow: It did.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"an input took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
