from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, IssuedCertificate, Revocation
from tests.unit.pki.conftest import FAST_KEY, OpenSsl

REVOKED_AT = datetime(2026, 2, 1, tzinfo=UTC)


StatusOf = Callable[[int], Revocation | None]


def _good(_: int) -> None:
    return None


def _never_issued(serial: int) -> None:
    raise KeyError(serial)


@pytest.fixture
def leaf(authority: Authority) -> IssuedCertificate:
    # openssl judges an answer by the machine's clock
    return authority.issue(
        common_name="leaf", key=FAST_KEY, now=datetime.now(UTC), validity=timedelta(days=1)
    )


@contextmanager
def _responder(authority: Authority, status_of: StatusOf) -> Iterator[str]:
    class Responder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            answer = authority.ocsp_response(request, status_of, datetime.now(UTC))
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Responder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _openssl_verdict(
    authority: Authority,
    leaf: IssuedCertificate,
    status_of: StatusOf,
    openssl: OpenSsl,
    folder: Path,
    *options: str,
) -> str:
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "leaf.pem").write_bytes(leaf.certificate_pem)
    with _responder(authority, status_of) as url:
        verdict = openssl(
            "ocsp", *options, "-issuer", str(folder / "ca.pem"), "-cert", str(folder / "leaf.pem"),
            "-CAfile", str(folder / "ca.pem"), "-url", url,
        )  # fmt: skip
    assert verdict.stderr == "Response verify OK\n"  # a missing nonce would be a warning here
    return verdict.stdout


@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_openssl_accepts_a_good_answer(
    authority: Authority, leaf: IssuedCertificate, digest: str, openssl: OpenSsl, tmp_path: Path
) -> None:
    assert "leaf.pem: good" in _openssl_verdict(authority, leaf, _good, openssl, tmp_path, digest)


def test_openssl_is_told_of_a_revocation_and_its_time(
    authority: Authority, leaf: IssuedCertificate, openssl: OpenSsl, tmp_path: Path
) -> None:
    verdict = _openssl_verdict(authority, leaf, lambda _: Revocation(REVOKED_AT), openssl, tmp_path)
    assert "leaf.pem: revoked" in verdict
    assert "Revocation Time: Feb  1 00:00:00 2026 GMT" in verdict


def test_a_serial_that_was_never_issued_is_unknown_and_not_good(
    authority: Authority, leaf: IssuedCertificate, openssl: OpenSsl, tmp_path: Path
) -> None:
    verdict = _openssl_verdict(authority, leaf, _never_issued, openssl, tmp_path)
    assert "leaf.pem: unknown" in verdict


@pytest.mark.parametrize(
    "key",
    [KeySpec(algorithm=KeyAlgorithm.RSA, size=2048), KeySpec(algorithm=KeyAlgorithm.ED25519)],
    ids=lambda key: str(key.algorithm),
)
def test_authorities_of_every_key_kind_answer(key: KeySpec, openssl: OpenSsl, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = Authority.create("root", key=key, now=now, validity=timedelta(days=1))
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=timedelta(days=1))
    assert "leaf.pem: good" in _openssl_verdict(authority, leaf, _good, openssl, tmp_path)


def _request(leaf: IssuedCertificate, issuer: Authority, digest: HashAlgorithm) -> bytes:
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    issuer_certificate = x509.load_pem_x509_certificate(issuer.certificate_pem)
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer_certificate, digest)
    return builder.build().public_bytes(Encoding.DER)


def test_a_request_about_another_issuer_is_not_answered(
    authority: Authority, leaf: IssuedCertificate, now: datetime
) -> None:
    other = Authority.create("other", key=FAST_KEY, now=now, validity=timedelta(days=1))
    answer = authority.ocsp_response(_request(leaf, other, SHA256()), _good, now)
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_an_answer_is_dated_by_the_time_passed_in(
    authority: Authority, leaf: IssuedCertificate, now: datetime
) -> None:
    request = _request(leaf, authority, SHA1())  # noqa: S303  # what clients send
    answer = ocsp.load_der_ocsp_response(authority.ocsp_response(request, _good, now))
    assert answer.this_update_utc == now
    assert answer.next_update_utc == now + timedelta(hours=1)


@given(st.binary(max_size=200))
def test_no_bytes_are_left_without_an_answer(authority: Authority, request_der: bytes) -> None:
    answer = authority.ocsp_response(request_der, _good, REVOKED_AT)
    status = ocsp.load_der_ocsp_response(answer).response_status
    assert status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
