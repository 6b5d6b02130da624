"""The way into an attested connection: gRPC speaks in clear into it, and what comes out is attested TLS.

gRPC tells nothing of its TLS connections that evidence could be bound to. So it gets a socket in a folder that is
this user's alone; each connection to it becomes one to the agent, over which nothing goes before the agent
has proven itself. Evidence that was refused once ends the tunnel: it is not asked for again.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import struct
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from OpenSSL import SSL

from prism_iac._grpc import NEVER_CONNECTED
from prism_iac.agent._required import EvidencePlace
from prism_iac.agent._socket import SOCKET_SCHEME
from prism_iac.agent.atls import (
    CONTEXT_BYTES,
    NONCE_BYTES,
    StreamEnded,
    TlsStream,
    check_certified,
    client_context,
    demand_proof,
    name_of,
    reasons_of,
)
from prism_iac.agent.client._address import host_and_port
from prism_iac.agent.client._failures import WRONG_NAME, AgentUnreachable, unreachable
from prism_iac.agent.client._tls import ClientTls
from prism_iac.attestation import EvidenceRefused
from prism_iac.errors import Conflict, PrismError
from prism_iac.model import TlsMode
from prism_iac.pki import check_certificate

__all__ = ["Tunnel"]

_CONNECT_SECONDS: Final = 10.0
"""What dialling, the handshake and the proof may take together; platforms answer within a second."""

_PEER_CREDENTIALS: Final = struct.Struct("3i")
"""unix(7), SO_PEERCRED: process, user, group."""


class Tunnel:
    """A socket of this process that leads to one agent; close it.

    Args:
        address: `host:port` of the agent.
        tls: An attested mode.

    Raises:
        InvalidInput: A file cannot be read, or the address has no port.
        Conflict: There is no place for the socket.
    """

    def __init__(self, address: str, tls: ClientTls) -> None:
        assert tls.required_evidence is not None, "an attested mode has it"
        self._address = address
        self._host, self._port = host_and_port(address)
        self._tls = tls
        self._required = tls.required_evidence
        is_mutual = tls.mode is TlsMode.MATLS
        self._context = client_context(
            server_ca=tls.server_ca,
            certificate=tls.client_certificate if is_mutual else None,
            key=tls.client_key if is_mutual else None,
        )
        self._failure: PrismError | None = None
        self._open: set[TlsStream] = set()
        self._lock = threading.Lock()
        self._is_closed = False
        self._folder = Path(tempfile.mkdtemp(prefix="prism-iac-"))
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(str(self._path))
        except OSError as error:
            self.close()
            raise Conflict(
                f"no socket can be made in the folder for temporary files: {error.strerror or error}",
                where=str(self._folder.parent),
                next_step="Set TMPDIR to a folder with a short path.",
            ) from error
        self._listener.listen()
        threading.Thread(target=self._accept, name="attested tunnel", daemon=True).start()

    @property
    def target(self) -> str:
        """What gRPC dials."""
        return f"{SOCKET_SCHEME}{self._path}"

    @property
    def failure(self) -> PrismError | None:
        """Why the last connection did not come to be; None when it did."""
        return self._failure

    def close(self) -> None:
        """End every connection and remove the socket."""
        with self._lock:
            self._is_closed = True
            streams = tuple(self._open)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for stream in streams:
            stream.abort()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _path(self) -> Path:
        return self._folder / "agent"

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            if _peer_process(plain) == os.getpid():
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()
            else:
                plain.close()

    def _serve(self, plain: socket.socket) -> None:
        with plain:
            if self._failure is not None and not isinstance(self._failure, AgentUnreachable):
                return
            try:
                stream = self._connect()
            except PrismError as error:
                self._failure = error
                return
            self._failure = None
            try:
                stream.carry(plain)
            finally:
                self._forget(stream)

    def _connect(self) -> TlsStream:
        """A connection whose far end has proven itself."""
        deadline = time.monotonic() + _CONNECT_SECONDS
        try:
            dialled = socket.create_connection((self._host, self._port), _CONNECT_SECONDS)
        except OSError as error:
            raise self._unreachable(error.strerror or str(error)) from error
        stream = TlsStream(dialled, self._context, deadline=deadline)
        try:
            self._remember(stream)
            self._have_proven(stream)
        except BaseException:
            self._forget(stream)
            raise
        return stream

    def _have_proven(self, stream: TlsStream) -> None:
        try:
            if self._required.place is EvidencePlace.CERTIFICATE:
                nonce = secrets.token_bytes(NONCE_BYTES)
                stream.connect(name_of(nonce))
                check_certified(stream, self._required, nonce=nonce, now=datetime.now(UTC))
                return
            stream.connect()
            self._check_name(stream)
            context = secrets.token_bytes(CONTEXT_BYTES)
            demand_proof(stream, self._required, context=context, now=datetime.now(UTC))
        except EvidenceRefused as refusal:
            refusal.where = self._address
            raise
        except StreamEnded as error:
            raise self._unreachable(str(error)) from error
        except SSL.Error as error:
            raise self._unreachable(reasons_of(error)) from error

    def _check_name(self, stream: TlsStream) -> None:
        """OpenSSL has followed the chain to the given CA; whose certificate it is remains."""
        if self._tls.server_ca is None:
            return
        leaf = stream.peer_certificate()
        findings = check_certificate(leaf, now=datetime.now(UTC), names=[self._host])
        if findings:
            raise self._unreachable(f"{WRONG_NAME}: {findings[0].message}")

    def _remember(self, stream: TlsStream) -> None:
        with self._lock:
            if self._is_closed:
                raise self._unreachable("the client was closed")
            self._open.add(stream)

    def _forget(self, stream: TlsStream) -> None:
        with self._lock:
            self._open.discard(stream)
        stream.close()

    def _unreachable(self, text: str) -> AgentUnreachable:
        return unreachable("UNAVAILABLE", f"{NEVER_CONNECTED}: {text}", self._address)


def _peer_process(connected: socket.socket) -> int:
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    return int(_PEER_CREDENTIALS.unpack(credentials)[0])
