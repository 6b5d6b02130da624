"""The downloads of two steps: tokens that run out, and a CA that comes as PEM or in a zip."""

from __future__ import annotations

import io
import zipfile

import httpx
import pytest

from prism_iac.prism import Unauthenticated, UnexpectedReply
from tests.unit.prism.support import ok, refused, tokens, workspace_of

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FILES = {"certificate": "Q0VSVA==", "private_key": "S0VZ", "ca": "Q0E="}


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (PEM.encode(), "application/x-pem-file"),
        (PEM.encode(), "application/octet-stream"),
        (zipped(ca_pem=PEM), "application/zip"),
        (zipped(ca_pem=PEM), "application/octet-stream"),
    ],
)
def test_d45_the_content_tells_whether_the_ca_is_pem_or_a_zip(body: bytes, media_type: str) -> None:
    workspace, prism = workspace_of(
        ok({"token": "t"}), httpx.Response(200, content=body, headers={"Content-Type": media_type})
    )
    assert workspace.certificates.fetch_ca() == PEM
    assert prism.last.url.params["token"] == "t"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\n\xff",
        b"PK\x03\x04 and then nothing",
        zipped(other_pem=PEM),
        zipped(ca_pem="not a certificate"),
        zipped(ca_pem=PEM)[:-30],
        zipped(ca_pem=PEM + " " * (2 << 20)),
    ],
    ids=["nothing", "html", "key", "bytes", "broken zip", "other file", "no pem", "cut zip", "bomb"],
)
def test_d45_a_ca_that_is_neither_is_an_error(body: bytes) -> None:
    workspace, _ = workspace_of(httpx.Response(200, content=body))
    with pytest.raises(UnexpectedReply, match="CA download"):
        workspace.certificates.download_ca("t")


def test_d43_the_token_comes_by_serial_and_the_files_by_entity() -> None:
    workspace, prism = workspace_of(ok({"token": "t"}), ok(FILES))
    assert workspace.certificates.fetch("v1", "418").private_key_pem == "KEY"
    assert [request.url.path for request in prism.requests] == [
        "/certs/d0/certs/418/download/token",
        "/certs/d0/certs/v1/download",
    ]


@pytest.mark.fault(52)
def test_a_download_token_that_ran_out_between_the_two_steps_is_replaced() -> None:
    given = iter(["old", "new"])

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/users/tokens/"):
            return tokens("a", "r")
        if request.url.path.endswith("/token"):
            return ok({"token": next(given)})
        return ok(FILES) if request.url.params["downloadToken"] == "new" else refused(401, "token is over")

    workspace, prism = workspace_of(ok())
    prism.respond = respond
    assert workspace.certificates.fetch("v1", "418").certificate_pem == "CERT"


def test_a_download_token_that_never_works_is_an_error_after_two() -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/users/tokens/"):
            return tokens("a", "r")
        asked.append(request.url.path)
        return ok({"token": "once"}) if request.url.path.endswith("/token") else refused(401, "token is over")

    workspace, prism = workspace_of(ok())
    prism.respond = respond
    with pytest.raises(Unauthenticated, match="token is over"):
        workspace.certificates.fetch("v1", "418")
    assert sum(path.endswith("/token") for path in asked) == 2
