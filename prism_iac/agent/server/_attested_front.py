"""The attested port: TLS and evidence at the front, gRPC in clear behind it.

gRPC tells nothing of its TLS connections that evidence could be bound to. So it listens on a socket in a folder
that is the agent's user's alone, and participants reach it through connections that are made here.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from OpenSSL import SSL

from prism_iac.agent._socket import SOCKET_SCHEME, socket_target
from prism_iac.agent.atls import Attest, Prover, StreamEnded, TlsStream, reasons_of, server_context
from prism_iac.agent.server._security import PortSecurity
from prism_iac.agent.server._settings import Endpoint

__all__ = ["AttestedFront"]

_PROOF_SECONDS: Final = 10.0
"""What the handshake and the proof may take together."""

_END_SECONDS: Final = 1.0
"""How long connections have to send what they hold, once gRPC has ended."""

_PAUSE_SECONDS: Final = 0.1
_MOST_CONNECTIONS: Final = 64

_SOCKET: Final = "participants.sock"

_log = structlog.get_logger(__name__)


class AttestedFront:
    """Takes connections from when it is made; proves the VM on each, then lets gRPC speak.

    Args:
        endpoint: Where participants connect.
        security: The certificate, its key, and who is let in.
        attest: Gives the evidence.
        folder: Of the agent's user alone; gRPC listens in it.

    Raises:
        OSError: The address is taken, or not this machine's.
        InvalidInput: A file cannot be read.
    """

    def __init__(self, endpoint: Endpoint, security: PortSecurity, attest: Attest, folder: Path) -> None:
        self._prover = Prover.of(security.certificate, security.key, attest, now=lambda: datetime.now(UTC))
        self._context = server_context(
            certificate=security.certificate,
            key=security.key,
            client_ca=security.client_ca,
            on_name=self._prover.certify,
        )
        self._listener = _listen(endpoint)
        self._socket = folder / _SOCKET
        self._place = ExitStack()
        self._target = self._place.enter_context(socket_target(self._socket))
        self._is_ending = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[TlsStream, threading.Thread] = {}

    @property
    def inner_target(self) -> str:
        """Where gRPC listens."""
        return self._target

    def start(self) -> None:
        """Take connections; gRPC listens."""
        threading.Thread(target=self._accept, name="attested port", daemon=True).start()

    def stop_accepting(self) -> None:
        """Take no more connections; those that are there go on."""
        self._is_ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        """Wait a while for the connections to end, then end them; gRPC has ended."""
        deadline = time.monotonic() + _END_SECONDS
        with self._lock:
            left = dict(self._open)
        for thread in left.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for stream, thread in left.items():
            stream.abort()
            thread.join()
        self._place.close()
        self._socket.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._is_ending.is_set():
            try:
                connected, _ = self._listener.accept()
                self._take(connected)
            except OSError as error:
                # Of one connection, or of a process without a free descriptor: neither ends the port.
                if not self._is_ending.wait(_PAUSE_SECONDS):
                    _log.warning("a connection could not be taken", reason=error.strerror)

    def _take(self, connected: socket.socket) -> None:
        with self._lock:
            if len(self._open) >= _MOST_CONNECTIONS:
                connected.close()
                return
            stream = TlsStream(connected, self._context, deadline=time.monotonic() + _PROOF_SECONDS)
            self._open[stream] = threading.Thread(target=self._serve, args=(stream,), daemon=True)
            self._open[stream].start()

    def _serve(self, stream: TlsStream) -> None:
        try:
            if self._is_proven(stream):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as plain:
                    plain.connect(self._target.removeprefix(SOCKET_SCHEME))
                    stream.carry(plain)
        except OSError as error:
            _log.warning("a connection could not be taken", reason=error.strerror)
        finally:
            stream.close()
            with self._lock:
                self._open.pop(stream, None)

    def _is_proven(self, stream: TlsStream) -> bool:
        try:
            stream.accept()
            self._prover.prove(stream)
        except (StreamEnded, ValueError) as error:
            _log.info("a connection was refused", reason=str(error))
            return False
        except SSL.Error as error:
            _log.info("a connection was refused", reason=reasons_of(error))
            return False
        return True


def _listen(endpoint: Endpoint) -> socket.socket:
    family, *_, address = socket.getaddrinfo(
        endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    dual = family == socket.AF_INET6 and not endpoint.is_reachable_as_written and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, dualstack_ipv6=dual)
