"""A way to an agent that breaks: the connections that a test says, after as many bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def relay(address: str, *, breaks: int, after_bytes: int) -> Iterator[str]:
    """The address of a relay; its first connections break once as many bytes have gone either way."""
    host, _, port = address.rpartition(":")
    left = breaks

    def serve(near: socket.socket, *, is_broken: bool) -> None:
        with near, socket.create_connection((host, int(port))) as far:
            ways = [
                threading.Thread(target=_copy, args=(*pair, after_bytes if is_broken else None))
                for pair in ((near, far), (far, near))
            ]
            for way in ways:
                way.start()
            for way in ways:
                way.join()

    def accept() -> None:
        nonlocal left
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(
                    target=serve, args=(near,), kwargs={"is_broken": left > 0}, daemon=True
                ).start()
                left -= 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket, most_bytes: int | None) -> None:
    done = 0
    with suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
            done += len(block)
            if most_bytes is not None and done > most_bytes:
                break
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
