"""What a participant's command needs is looked at before the agent is called: here nobody answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.contract.cli.command_line import SameProcess

NOBODY = ("--address", "127.0.0.1:9")
CALLS = {"algo": ("algo", "file"), "data": ("data", "file"), "result": ("result",)}


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> SameProcess:
    """The command line of somebody with a key and a file that is neither key nor certificate."""
    pair = generate_key_pair(KeyAlgorithm.ED25519)
    (tmp_path / "private.pem").write_bytes(pair.private_pem)
    (tmp_path / "public.pem").write_bytes(pair.public_pem)
    (tmp_path / "file").write_text("a file\n")
    return SameProcess(tmp_path, patch=monkeypatch, captured=capsys)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_file_that_is_no_private_key_is_named(alone: SameProcess, call: tuple[str, ...]) -> None:
    ended = alone.run(*call, *NOBODY, "--key", "public.pem")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("public.pem:1:1: this is not a private key in PEM form\n")
    assert sorted(path.name for path in alone.folder.iterdir()) == ["file", "private.pem", "public.pem"]


@pytest.mark.parametrize(
    "options",
    [
        ("--server-ca", "file"),
        ("--client-cert", "file"),
        ("--client-key", "file"),
        ("--attestation-policy", "file"),
    ],
    ids=lambda options: options[0],
)
def test_a_file_for_tls_that_is_something_else_is_named(alone: SameProcess, options: tuple[str, ...]) -> None:
    ended = alone.run("result", *NOBODY, *options)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("file:1:1: ")


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost:", "vm:65536"])
def test_an_address_without_a_port_is_not_taken_for_another(alone: SameProcess, address: str) -> None:
    ended = alone.run("result", "--address", address)
    assert ended.code == 1
    assert f'"{address}" is not host:port' in ended.err
