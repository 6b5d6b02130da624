"""A socket in a folder whose path may be longer than a socket's address can be (unix(7): 108 bytes)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["SOCKET_SCHEME", "socket_target"]

SOCKET_SCHEME: Final = "unix:"
"""How gRPC's name of a socket of this machine begins."""


@contextmanager
def socket_target(path: Path) -> Iterator[str]:
    """The gRPC target of a socket, good inside of the context.

    Raises:
        OSError: There is no such folder.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"{SOCKET_SCHEME}/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
