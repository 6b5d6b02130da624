"""Servers that are not what a participant wants: real TLS, with whatever proof a test gives them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from OpenSSL import SSL

from prism_iac.agent.atls import StreamEnded, TlsStream, client_context, fresh_pair, server_context
from tests.contract.agent.control import PATIENCE_SECONDS

Behaviour = Callable[[TlsStream], None]


@dataclass
class Impostor:
    """Answers at an address of its own.

    Attributes:
        heard: What came over connections after the proof, which is what nobody may say to it.
        connections: How many there were.
    """

    address: str
    heard: bytearray = field(default_factory=bytearray)
    connections: int = 0


@contextmanager
def impostor(behave: Behaviour, *, pair: tuple[bytes, bytes] | None = None) -> Iterator[Impostor]:
    """A server that shakes hands, with a certificate and key if given, behaves, and listens to what comes then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Impostor(f"127.0.0.1:{listener.getsockname()[1]}")
        certificate, key = pair or fresh_pair(datetime.now(UTC))
        context = server_context(certificate=certificate, key=key, client_ca=None)
        thread = threading.Thread(target=_serve, args=(listener, context, behave, server), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def _serve(listener: socket.socket, context: SSL.Context, behave: Behaviour, server: Impostor) -> None:
    while True:
        try:
            connected, _ = listener.accept()
        except OSError:
            return
        server.connections += 1
        stream = TlsStream(connected, context, deadline=time.monotonic() + PATIENCE_SECONDS)
        ours, theirs = socket.socketpair()
        try:
            stream.accept()
            behave(stream)
            carrier = threading.Thread(target=stream.carry, args=(theirs,), daemon=True)
            carrier.start()
            carrier.join(PATIENCE_SECONDS)
        except (StreamEnded, SSL.Error):
            pass
        finally:
            stream.close()
            theirs.close()
        while block := ours.recv(1 << 16):
            server.heard += block
        ours.close()


def dial(address: str) -> TlsStream:
    """A connection to an agent as one without a certificate makes it, after the handshake."""
    host, _, port = address.rpartition(":")
    connected = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
    context = client_context(server_ca=None, certificate=None, key=None)
    stream = TlsStream(connected, context, deadline=time.monotonic() + PATIENCE_SECONDS)
    stream.connect()
    return stream
