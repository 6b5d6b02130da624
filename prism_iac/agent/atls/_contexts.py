"""The TLS settings of both sides: version 1.3 alone, HTTP/2, no resumption.

Source: cocos-grpc.md section 9.1, step 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, TypeAlias

from OpenSSL import SSL, crypto

from prism_iac.pki import load_certificates, load_private_key

__all__ = ["client_context", "server_context"]

_HTTP2: Final = b"h2"
_PARTIAL_WRITE: Final = 0x1
"""SSL_CTX_set_mode(3), SSL_MODE_ENABLE_PARTIAL_WRITE: one record for each call, where several fit."""

OnName: TypeAlias = Callable[[bytes | None], tuple[bytes, bytes] | None]


def client_context(*, server_ca: bytes | None, certificate: bytes | None, key: bytes | None) -> SSL.Context:
    """The settings of a participant; all files are PEM.

    Args:
        server_ca: The agent's certificate must lead to one of these; None where its evidence alone counts.
        certificate: Shown to the agent when it asks.
        key: Beside it.

    Raises:
        InvalidInput: A file cannot be read.
    """
    context = _context()
    context.set_alpn_protos([_HTTP2])
    if server_ca is not None:
        _trust(context, server_ca)
        context.set_verify(SSL.VERIFY_PEER)
    if certificate is not None and key is not None:
        _use(context, certificate, key)
    return context


def server_context(
    *, certificate: bytes, key: bytes, client_ca: bytes | None, on_name: OnName | None = None
) -> SSL.Context:
    """The settings of an agent; all files are PEM.

    Args:
        certificate: The leaf first.
        key: Beside it.
        client_ca: Participants must show a certificate that leads to one of these; None lets in all.
        on_name: Told what name a client asks for, if any; may give its connection a pair of its own.

    Raises:
        InvalidInput: A file cannot be read.
    """
    context = _context()
    context.set_alpn_select_callback(_choose)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if on_name is not None:
        context.set_tlsext_servername_callback(partial(_use_own_pair, on_name, client_ca))
    _use(context, certificate, key)
    if client_ca is not None:
        _trust(context, client_ca)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    return context


def _context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_options(SSL.OP_NO_TICKET)
    context.clear_mode(_PARTIAL_WRITE)
    return context


def _use_own_pair(on_name: OnName, client_ca: bytes | None, connection: SSL.Connection) -> None:
    if (pair := on_name(connection.get_servername())) is not None:
        certificate, key = pair
        # A second pair beside the first would leave the choice between the two to the client.
        connection.set_context(server_context(certificate=certificate, key=key, client_ca=client_ca))


def _choose(connection: SSL.Connection, offered: Iterable[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    del connection
    return _HTTP2 if _HTTP2 in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _trust(context: SSL.Context, ca_pem: bytes) -> None:
    store = context.get_cert_store()
    assert store is not None, "every context has one"
    for certificate in load_certificates(ca_pem):
        store.add_cert(crypto.X509.from_cryptography(certificate))


def _use(context: SSL.Context, certificate_pem: bytes, key_pem: bytes) -> None:
    leaf, *others = load_certificates(certificate_pem)
    context.use_certificate(leaf)
    for other in others:
        context.add_extra_chain_cert(other)
    context.use_privatekey(load_private_key(key_pem))
