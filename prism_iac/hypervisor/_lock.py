"""A lock for each VM, held by one thread of one process of the machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["locked", "locked_if_free"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, waiting for it; the file is made, and removed afterwards.

    The kernel lets go of it when its holder dies.
    """
    while (descriptor := _acquire(path, fcntl.LOCK_EX)) is None:
        continue
    with _held(path, descriptor):
        yield


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock of a file if nobody else does; tells whether it is held."""
    descriptor = _acquire(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if descriptor is None:
        yield False
        return
    with _held(path, descriptor):
        yield True


def _acquire(path: Path, operation: int) -> int | None:
    """The descriptor of the locked file; None when another holds it, or its holder removed it meanwhile."""
    for folder in (path.parent.parent, path.parent):
        # The mode is that of the last folder of a path; what is made above it is open to others.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


@contextmanager
def _held(path: Path, descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
