"""Bundles in real handshakes: the standard library's TLS and gRPC's, which agents and participants use."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from prism_iac.model import TlsMode
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm, KeySpec
from prism_iac.pki import (
    Authority,
    Bundle,
    Hierarchy,
    Party,
    Permitted,
    Side,
    issue_bundle,
    issue_parties,
)

KEYS = {
    "rsa": KeySpec(algorithm=KeyAlgorithm.RSA, size=2048),
    "ecdsa": KeySpec(algorithm=KeyAlgorithm.ECDSA),
    "ecdsa-384": KeySpec(algorithm=KeyAlgorithm.ECDSA, size=384),
}
MODES = (TlsMode.TLS, TlsMode.MTLS, TlsMode.MATLS)


def _bundle(mode: TlsMode, key: KeySpec) -> Bundle:
    wanted = CertificateBundle(mode=mode, key=key)
    return issue_bundle(wanted, now=datetime.now(UTC))  # TLS libraries read the machine's clock


@pytest.fixture(params=[(mode, key) for mode in MODES for key in KEYS], ids=lambda p: f"{p[0]}-{p[1]}")
def bundle(request: pytest.FixtureRequest) -> Bundle:
    mode, key = request.param
    return _bundle(mode, KEYS[key])


def _files(bundle: Bundle, folder: Path) -> dict[str, Path]:
    names = ("ca_certificate", "server_certificate", "server_key", "client_certificate", "client_key")
    for name in names:
        (folder / name).write_bytes(getattr(bundle, name) or b"")
    return {name: folder / name for name in names}


def _contexts(bundle: Bundle, files: dict[str, Path]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files["server_certificate"], files["server_key"])
    client = ssl.create_default_context(cafile=str(files["ca_certificate"]))
    # The default of Python 3.13 and later; it wants the key identifiers of RFC 5280.
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    if bundle.client_certificate is not None:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(files["ca_certificate"])
        server.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
        client.load_cert_chain(files["client_certificate"], files["client_key"])
    return server, client


def test_openssl_completes_the_handshake(bundle: Bundle, tmp_path: Path) -> None:
    server, client = _contexts(bundle, _files(bundle, tmp_path))
    near, far = socket.socketpair()

    def serve() -> dict[str, object] | None:
        with server.wrap_socket(far, server_side=True) as connection:
            connection.recv(1)
            peer = connection.getpeercert()
            connection.sendall(b"x")
            return dict(peer) if peer else None

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(serve)
        with client.wrap_socket(near, server_hostname="localhost") as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert (answer.result(timeout=10) is not None) is (bundle.client_certificate is not None)


def _same(request: bytes, _: grpc.ServicerContext) -> bytes:
    return request


@contextmanager
def _serving(bundle: Bundle) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(2))
    echo: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_same)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {"Say": echo})])
    assert bundle.server_key is not None
    assert bundle.server_certificate is not None
    mutual = bundle.client_certificate is not None
    credentials = grpc.ssl_server_credentials(
        [(bundle.server_key, bundle.server_certificate)],
        root_certificates=bundle.ca_certificate if mutual else None,
        require_client_auth=mutual,
    )
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def _echo(port: int, credentials: grpc.ChannelCredentials) -> bytes:
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        say: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test.Echo/Say")
        return say(b"hello", timeout=10)


def test_grpc_completes_the_handshake(bundle: Bundle) -> None:
    with _serving(bundle) as port:
        credentials = grpc.ssl_channel_credentials(
            bundle.ca_certificate, bundle.client_key, bundle.client_certificate
        )
        assert _echo(port, credentials) == b"hello"


@pytest.mark.parametrize("permitted", [None, Permitted(["localhost"])], ids=["any", "permitted"])
@pytest.mark.parametrize("client", ["ada", "grace"])
def test_grpc_lets_in_every_client_below_an_intermediate(client: str, permitted: Permitted | None) -> None:
    parties = [
        Party("server", Side.SERVER, "agent", dns_names=["localhost"]),
        *(Party(name, Side.CLIENT, name) for name in ("ada", "grace")),
    ]
    issued = issue_parties(
        parties,
        Hierarchy("iris CA", has_intermediate=True, permitted=permitted),
        key=KEYS["ecdsa"],
        now=datetime.now(UTC),
        validity=timedelta(days=1),
    )
    server, other = issued.certificates["server"], issued.certificates[client]
    bundle = Bundle(
        issued.root.certificate_pem,
        None,
        server.certificate_pem,
        server.key_pem,
        other.certificate_pem,
        other.key_pem,
    )
    with _serving(bundle) as port:
        credentials = grpc.ssl_channel_credentials(
            bundle.ca_certificate, bundle.client_key, bundle.client_certificate
        )
        assert _echo(port, credentials) == b"hello"


def test_grpc_refuses_a_client_of_another_ca() -> None:
    ours, theirs = (_bundle(TlsMode.MTLS, KEYS["ecdsa"]) for _ in range(2))
    with _serving(ours) as port, pytest.raises(grpc.RpcError):
        _echo(
            port,
            grpc.ssl_channel_credentials(ours.ca_certificate, theirs.client_key, theirs.client_certificate),
        )


def test_grpc_refuses_a_server_of_another_ca() -> None:
    ours, theirs = (_bundle(TlsMode.TLS, KEYS["ecdsa"]) for _ in range(2))
    with _serving(theirs) as port, pytest.raises(grpc.RpcError):
        _echo(port, grpc.ssl_channel_credentials(ours.ca_certificate))


def test_grpc_speaks_no_ed25519_which_is_why_bundles_refuse_it() -> None:
    now = datetime.now(UTC)
    authority = Authority.create("root", key=KEYS["ecdsa"], now=now, validity=timedelta(days=1))
    leaf = authority.issue(
        common_name="agent",
        dns_names=["localhost"],
        key=KeySpec(algorithm=KeyAlgorithm.ED25519),
        now=now,
        validity=timedelta(days=1),
    )
    bundle = Bundle(authority.certificate_pem, None, leaf.certificate_pem, leaf.key_pem)
    with _serving(bundle) as port, pytest.raises(grpc.RpcError):
        _echo(port, grpc.ssl_channel_credentials(bundle.ca_certificate))


def test_no_thread_is_left_behind_by_parallel_key_generation() -> None:
    before = threading.active_count()
    _bundle(TlsMode.MTLS, KEYS["ecdsa"])
    assert threading.active_count() == before
