from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.unit.cli.conftest import Run

WRONG_USE = {
    "no such command": ["computatoins"],
    "no such subcommand": ["computations", "lst"],
    "no such option": ["vms", "list", "--colour"],
    "validate nothing": ["validate"],
    "check without a folder": ["schema", "--check"],
    "a kind of key that is none": ["keys", "--type", "dsa"],
    "a path that is not there": ["checksum", "nowhere"],
    "a runtime that is none": ["algo", "file", "--type", "java", "--key", "file"],
    "an algorithm that is a folder": ["algo", "folder", "--key", "file"],
    "an algorithm that is not there": ["algo", "nowhere.py", "--key", "file"],
    "a key that is not there": ["data", "file", "--key", "nowhere.pem"],
    "the default key is not there": ["result"],
    "a run without a VM": ["computations", "run", "sum"],
    "a run number that is none": ["computations", "logs", "sum", "--run", "first"],
    "an option without its value": ["env", "sum", "--files"],
    "one argument too many": ["computations", "show", "sum", "difference"],
    "show nothing": ["computations", "show"],
    "a key to register that is not there": ["keys", "register", "sum", "--key", "nowhere.pem"],
    "a CA that is not there": ["algo", "file", "--key", "file", "--server-ca", "nowhere.pem"],
    "a participant of another Prism": [
        *("computations", "list", "--endpoint", "https://prism.example", "--as", "ada@example.com"),
    ],
}


@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_exit_code_2_and_says_what_is_wrong(arguments: list[str], run: Run, here: Path) -> None:
    (here / "file").write_text("")
    (here / "folder").mkdir()
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error: " in ended.err
    assert "Traceback" not in ended.err


REFUSED = {
    "a stack file that is not there": (["validate", "nowhere.yaml"], 1),
    "a manifest that is none": (["checksum", "--manifest", "file"], 1),
    "a schema that there is not": (["schema", "Computer"], 1),
    "schemas that are not there": (["schema", "--output", "empty", "--check"], 1),
    "a public key that is none": (["keys", "register", "sum", "--key", "file"], 1),
    "a folder to write to that is not there": (["keys", "--type", "ed25519", "--output", "no/key"], 1),
    "no agent": (["algo", "file", "--key", "file"], 1),
    "an endpoint that is no URL": (["vms", "list", "--endpoint", "prism.example"], 1),
    "an endpoint without TLS": (["vms", "list", "--endpoint", "http://prism.example"], 1),
    "no credentials": (["vms", "list", "--endpoint", "https://prism.example"], 1),
    "no backend": (["computations", "list"], 3),
    "no backend, either": (["env", "sum"], 3),
    "an agent that is not there": (["algo", "file", "--key", "key", "--address", "127.0.0.1:1"], 3),
}


@pytest.mark.parametrize(("arguments", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_said_without_a_traceback(
    arguments: list[str], code: int, run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_iac.cli._agent._SERVING_SECONDS", 0.2)
    (here / "file").write_text("{}")
    (here / "key").write_bytes(generate_key_pair(KeyAlgorithm.ED25519).private_pem)
    (here / "empty").mkdir()
    ended = run(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err
    assert "Traceback" not in ended.err
    assert "defect" not in ended.err


def test_a_backend_that_does_not_run_is_said_with_the_command_that_starts_it(run: Run, here: Path) -> None:
    assert run("vms", "list").err == (
        f"{here}/data/backend: the embedded backend is not running\n  Start it with `prism-iac backend up`.\n"
    )
    assert not (here / "data").exists()


def test_a_defect_is_exit_code_70(run: Run, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    def broken(_path: Path) -> bytes:
        raise ZeroDivisionError

    (here / "file").write_text("")
    monkeypatch.setattr("prism_iac.model.sha3_256_of_path", broken)
    ended = run("checksum", "file")
    assert (ended.code, ended.out) == (70, "")
    assert "ZeroDivisionError" in ended.err
    assert "Traceback" not in ended.err
    assert "Traceback" in run("checksum", "file", PRISM_IAC_TRACEBACK="1").err


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(run: Run) -> None:
    assert "Did you mean 'computations'?" in run("computatoins").err
