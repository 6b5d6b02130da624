"""A way to servers: one that breaks where a test says so, or leads on to another server when one is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def relay(*addresses: str, breaks: int = 0, after_bytes: int = 0) -> Iterator[str]:
    """The address of a relay to the first of some servers that takes a connection.

    Its first connections break once as many bytes have gone either way.
    """
    left = breaks

    def serve(near: socket.socket, *, is_broken: bool) -> None:
        with near, suppress(ConnectionError), _first_of(addresses) as far:
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


def _first_of(addresses: tuple[str, ...]) -> socket.socket:
    for address in addresses:
        host, _, port = address.rpartition(":")
        with suppress(ConnectionRefusedError):
            return socket.create_connection((host, int(port)))
    raise ConnectionRefusedError


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
