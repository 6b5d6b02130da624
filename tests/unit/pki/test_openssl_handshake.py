"""Bundles in handshakes of the `openssl` programs, both ends."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.model import TlsMode
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, Hierarchy, Parties, Party, Permitted, Side, issue_bundle, issue_parties

KEYS = {
    "rsa": KeySpec(algorithm=KeyAlgorithm.RSA, size=2048),
    "ecdsa": KeySpec(algorithm=KeyAlgorithm.ECDSA),
    "ecdsa-384": KeySpec(algorithm=KeyAlgorithm.ECDSA, size=384),
}
WITH_FILES = (TlsMode.TLS, TlsMode.MTLS, TlsMode.MATLS)


def _write(folder: Path, **files: bytes | None) -> Path:
    for name, content in files.items():
        if content is not None:
            (folder / f"{name}.pem").write_bytes(content)
    return folder


@contextmanager
def _serving(folder: Path, *options: str) -> Iterator[int]:
    """A server that gives each line back from its end to its beginning; gives its port."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-naccept", "1"]
    files = [
        "-cert",
        "server.pem",
        "-key",
        "server_key.pem",
        "-cert_chain",
        "server.pem",
        "-CAfile",
        "ca.pem",
    ]
    with subprocess.Popen(
        [*command, *files, *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        try:
            ready = next(line for line in server.stdout if line.startswith("ACCEPT"))
            yield int(ready.rpartition(":")[2])
        finally:
            server.kill()


def _answer(folder: Path, port: int, *options: str) -> str:
    """What the server says to a client that verifies it; empty when there is no connection."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-no_ign_eof"]
    checks = ["-CAfile", "ca.pem", "-verify_return_error", "-verify_hostname", "localhost", "-x509_strict"]
    with subprocess.Popen(
        [*command, *checks, *options],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        try:
            client.stdin.write(b"prism\n")
            return client.stdout.readline().decode().strip()
        except BrokenPipeError:
            return ""
        finally:
            client.kill()


MUTUAL = ("-Verify", "3", "-verify_return_error", "-x509_strict")
SHOWS_ITSELF = ("-cert", "client.pem", "-key", "client_key.pem", "-cert_chain", "client.pem")


@pytest.mark.parametrize("mode", WITH_FILES)
@pytest.mark.parametrize("key", KEYS)
def test_the_files_of_each_mode_connect(mode: TlsMode, key: str, tmp_path: Path) -> None:
    bundle = issue_bundle(CertificateBundle(mode=mode, key=KEYS[key]), now=datetime.now(UTC))
    folder = _write(
        tmp_path,
        ca=bundle.ca_certificate,
        server=bundle.server_certificate,
        server_key=bundle.server_key,
        client=bundle.client_certificate,
        client_key=bundle.client_key,
    )
    mutual = bundle.client_certificate is not None
    with _serving(folder, *(MUTUAL if mutual else ())) as port:
        assert _answer(folder, port, *(SHOWS_ITSELF if mutual else ())) == "msirp"


@pytest.mark.parametrize("mode", [mode for mode in TlsMode if mode not in WITH_FILES])
def test_the_other_modes_have_no_files_to_connect_with(mode: TlsMode) -> None:
    bundle = issue_bundle(CertificateBundle(mode=mode), now=datetime.now(UTC))
    assert (bundle.ca_certificate, bundle.server_certificate, bundle.client_certificate) == (None,) * 3


def _parties(above: Hierarchy) -> Parties:
    parties = [
        Party("server", Side.SERVER, "agent", dns_names=["localhost"]),
        Party("ada", Side.CLIENT, "ada"),
        Party("grace", Side.CLIENT, "grace"),
    ]
    now, day = datetime.now(UTC), timedelta(days=1)
    return issue_parties(parties, above, key=KEYS["ecdsa"], now=now, validity=day)


def _write_parties(folder: Path, issued: Parties, *, client: str) -> Path:
    server, other = issued.certificates["server"], issued.certificates[client]
    return _write(
        folder,
        ca=issued.root.certificate_pem,
        server=server.certificate_pem,
        server_key=server.key_pem,
        client=other.certificate_pem,
        client_key=other.key_pem,
    )


@pytest.mark.parametrize("client", ["ada", "grace"])
@pytest.mark.parametrize("permitted", [None, Permitted(["localhost"])], ids=["any", "permitted"])
def test_every_client_below_an_intermediate_connects(
    client: str, permitted: Permitted | None, tmp_path: Path
) -> None:
    issued = _parties(Hierarchy("iris CA", has_intermediate=True, permitted=permitted))
    folder = _write_parties(tmp_path, issued, client=client)
    with _serving(folder, *MUTUAL) as port:
        assert _answer(folder, port, *SHOWS_ITSELF) == "msirp"


def test_a_client_that_shows_nothing_is_refused(tmp_path: Path) -> None:
    folder = _write_parties(tmp_path, _parties(Hierarchy("iris CA")), client="ada")
    with _serving(folder, *MUTUAL) as port:
        assert _answer(folder, port) == ""


def test_a_client_of_another_ca_of_the_same_name_is_refused(tmp_path: Path) -> None:
    ours, theirs = (_parties(Hierarchy("iris CA")) for _ in range(2))
    folder = _write_parties(tmp_path, ours, client="ada")
    _write(
        folder,
        client=theirs.certificates["ada"].certificate_pem,
        client_key=theirs.certificates["ada"].key_pem,
    )
    with _serving(folder, *MUTUAL) as port:
        assert _answer(folder, port, *SHOWS_ITSELF) == ""


def test_a_client_takes_no_client_for_the_agent(tmp_path: Path) -> None:
    issued = _parties(Hierarchy("iris CA"))
    folder = _write_parties(tmp_path, issued, client="ada")
    _write(
        folder,
        server=issued.certificates["grace"].certificate_pem,
        server_key=issued.certificates["grace"].key_pem,
    )
    with _serving(folder) as port:
        assert _answer(folder, port) == ""


def test_an_ed25519_certificate_connects_where_grpc_does_not_speak(tmp_path: Path) -> None:
    now, day, key = datetime.now(UTC), timedelta(days=1), KeySpec(algorithm=KeyAlgorithm.ED25519)
    authority = Authority.create("root", key=key, now=now, validity=day)
    leaf = authority.issue(common_name="agent", dns_names=["localhost"], key=key, now=now, validity=day)
    folder = _write(
        tmp_path, ca=authority.certificate_pem, server=leaf.certificate_pem, server_key=leaf.key_pem
    )
    with _serving(folder) as port:
        assert _answer(folder, port) == "msirp"
