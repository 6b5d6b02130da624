"""Whom a client trusts, which proxy it takes, and which endpoints it refuses."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from prism_iac.prism import Limits, PrismClient, TokenCredentials, Unavailable, UnexpectedReply
from prism_iac.prism._transport import _proxy
from tests.unit.prism.raw_server import RawServer, response

USER = response(b'{"id": "u1"}')
QUICK = Limits(connect_seconds=2, reply_seconds=2, total_seconds=1)
KEY = KeySpec(algorithm=KeyAlgorithm.ECDSA)
TOKEN = TokenCredentials("t")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("test CA", key=KEY, now=datetime.now(UTC), validity=timedelta(days=1))


def server_context(authority: Authority, folder: Path, *, name: str) -> ssl.SSLContext:
    issued = authority.issue(
        common_name=name,
        dns_names=[name],
        key=KEY,
        now=datetime.now(UTC),
        validity=timedelta(hours=1),
    )
    chain = folder / "server.pem"
    chain.write_bytes(issued.certificate_pem + issued.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


@contextmanager
def tls_server(authority: Authority, folder: Path, *, name: str = "localhost") -> Iterator[RawServer]:
    with RawServer(USER, tls=server_context(authority, folder, name=name)) as server:
        yield server


def test_a_certificate_of_the_given_ca_is_trusted(authority: Authority, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate_pem)
    with (
        tls_server(authority, tmp_path) as server,
        PrismClient(f"https://localhost:{server.port}", TOKEN, ca_file=ca_file, limits=QUICK) as client,
    ):
        assert client.users.profile().id == "u1"


def test_a_certificate_of_a_stranger_is_refused_at_once(authority: Authority, tmp_path: Path) -> None:
    with (
        tls_server(authority, tmp_path) as server,
        PrismClient(f"https://localhost:{server.port}", TOKEN, limits=QUICK) as client,
        pytest.raises(UnexpectedReply, match="is not trusted") as caught,
    ):
        client.users.profile()
    assert "CA file" in caught.value.next_step
    assert server.connections == 1
    assert server.requests == []


def test_a_certificate_for_another_name_is_refused(authority: Authority, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate_pem)
    with (
        tls_server(authority, tmp_path, name="other.example") as server,
        PrismClient(f"https://localhost:{server.port}", TOKEN, ca_file=ca_file, limits=QUICK) as client,
        pytest.raises(UnexpectedReply, match="is not trusted"),
    ):
        client.users.profile()
    assert server.requests == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(content: str | None, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(InvalidInput, match="no CA certificates can be read"):
        PrismClient("https://prism.example", TOKEN, ca_file=ca_file)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_proxy_of_the_environment_is_asked_for_a_tunnel(environment: pytest.MonkeyPatch) -> None:
    with RawServer(response(b"", status="403 Forbidden")) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://ada:hunter2@127.0.0.1:{proxy.port}")
        with (
            PrismClient("https://prism.example", TOKEN, limits=QUICK) as client,
            pytest.raises(Unavailable, match="could not connect") as caught,
        ):
            client.users.profile()
    assert proxy.requests[0].startswith(b"CONNECT prism.example:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic" in proxy.requests[0]
    assert b"Bearer" not in proxy.requests[0]
    assert "hunter2" not in str(caught.value)


def test_this_machine_is_reached_without_the_proxy(environment: pytest.MonkeyPatch) -> None:
    with RawServer(USER) as proxy, RawServer(USER) as server:
        environment.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        environment.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        with PrismClient(server.endpoint, TOKEN, limits=QUICK) as client:
            assert client.users.profile().id == "u1"
        assert (proxy.requests, len(server.requests)) == ([], 1)


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "proxy.example"),
        ({"https_proxy": "proxy.example:3128"}, "proxy.example"),
        ({"ALL_PROXY": "https://proxy.example"}, "proxy.example"),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "prism.example"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": ".example"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "other.example"}, "proxy.example"),
    ],
)
def test_the_environment_names_the_proxy(
    variables: dict[str, str], host: str | None, environment: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    proxy = _proxy(httpx.URL("https://prism.example"))
    assert (proxy.url.host.decode() if proxy else None) == host


@pytest.mark.parametrize("text", ["socks5://ada:hunter2@proxy.example", "ftp://proxy.example", "http://"])
def test_a_proxy_of_another_kind_is_refused_without_its_password(
    text: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("HTTPS_PROXY", text)
    with pytest.raises(InvalidInput, match="no http or https URL") as caught:
        PrismClient("https://prism.example", TOKEN)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://prism.example",
        "https://prism.example:8443/base/",
        "http://localhost:9000",
        "http://127.0.0.1:9000",
        "http://127.8.8.8",
        "http://[::1]:9000",
        "http://prism.localhost",
    ],
)
def test_an_endpoint_is_https_or_on_this_machine(endpoint: str) -> None:
    with PrismClient(endpoint, TOKEN) as client:
        assert client.endpoint == endpoint.rstrip("/")


@pytest.mark.parametrize(
    ("endpoint", "complaint"),
    [
        ("http://prism.example", "in clear"),
        ("http://10.0.0.1", "in clear"),
        ("http://localhost.example", "in clear"),
        ("https://ada:hunter2@prism.example", "a user or a password"),
        ("https://prism.example/?token=hunter2", "a query"),
        ("https://prism.example/#x", "a query or a fragment"),
        ("prism.example", "names no host"),
        ("embedded", "names no host"),
        ("ftp://prism.example", "not https"),
        ("https://", "names no host"),
        ("https://prism.example:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("", "names no host"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_without_being_shown(
    endpoint: str, complaint: str
) -> None:
    with pytest.raises(InvalidInput, match=complaint) as caught:
        PrismClient(endpoint, TOKEN)
    assert "hunter2" not in str(caught.value)
