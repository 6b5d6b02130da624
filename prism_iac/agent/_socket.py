"""A socket in a folder whose path may be longer than a socket's address can be (unix(7): 108 bytes)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["socket_target"]


@contextmanager
def socket_target(path: Path) -> Iterator[str]:
    """The gRPC target of a socket, good inside of the context.

    Raises:
        OSError: There is no such folder.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"unix:/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
