"""Agents and participants of different steps of a bundle connect over gRPC, which has a TLS library of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from prism_iac.lifecycle.handlers._bundle_steps import advance, due_step, issue
from prism_iac.model.resources import CertificateBundle

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def steps() -> list[CertificateBundle]:
    """A bundle at its beginning, with another CA announced, and after the change; all valid now."""
    now = datetime.now(UTC)
    wanted = CertificateBundle.parse({"key": {"algorithm": "ecdsa"}, "validity": "90d", "renew_before": "1h"})
    first = issue(wanted, now - 3 * HOUR)
    announced = advance(first, wanted.with_(key={"algorithm": "ecdsa", "size": 384}), None, now - 2 * HOUR)
    changed = advance(announced, announced, due_step(announced, now), now)
    assert changed.ca_key == announced.next_ca_key
    return [first, announced, changed]


@pytest.mark.parametrize(("agent", "client"), [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)])
def test_neighbouring_steps_connect(steps: list[CertificateBundle], agent: int, client: int) -> None:
    with serving(steps[agent]) as port:
        assert say(port, steps[client]) == b"hello"


@pytest.mark.parametrize(("agent", "client"), [(0, 2), (2, 0)])
def test_whoever_missed_the_announcement_does_not(
    steps: list[CertificateBundle], agent: int, client: int
) -> None:
    with serving(steps[agent]) as port, pytest.raises(grpc.RpcError):
        say(port, steps[client])


@contextmanager
def serving(bundle: CertificateBundle) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(1))
    echo: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(lambda sent, _: sent)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {"Say": echo})])
    credentials = grpc.ssl_server_credentials(
        [(pem(bundle.server_key), pem(bundle.server_certificate))],
        root_certificates=pem(bundle.ca_certificate),
        require_client_auth=True,
    )
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def say(port: int, bundle: CertificateBundle) -> bytes:
    credentials = grpc.ssl_channel_credentials(
        pem(bundle.ca_certificate), pem(bundle.client_key), pem(bundle.client_certificate)
    )
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test.Echo/Say")
        return call(b"hello", timeout=10)


def pem(text: str | None) -> bytes:
    assert text is not None
    return text.encode()
