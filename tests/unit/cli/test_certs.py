from __future__ import annotations

import json
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from prism_iac.cli.certs._bundle import BundleMode
from prism_iac.cli.certs._check import SideName
from prism_iac.model import TlsMode
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority, Side, load_certificates, load_private_key, private_pem
from tests.unit.cli.conftest import Run

PASSPHRASE = "canary passphrase"

RECIPE = [f"{party}-{what}.pem" for party in ("ca", "client", "server") for what in ("cert", "key")]


def openssl(here: Path, *arguments: str) -> str:
    return subprocess.run(
        ["openssl", *arguments], cwd=here, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def made(run: Run, here: Path) -> Path:
    """The folder of a bundle with quick keys."""
    assert run("certs", "bundle", "made", "--key-type", "ecdsa", "--address", "10.0.0.7:7002").code == 0
    return here / "made"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_choices_on_the_command_line_are_those_of_the_model() -> None:
    assert set(get_args(BundleMode)) == set(TlsMode) - {TlsMode.NONE, TlsMode.ATLS}
    assert set(get_args(SideName)) == set(Side)


def test_a_bundle_has_the_files_of_the_recipe_and_keys_are_their_owners_alone(made: Path) -> None:
    assert names_in(made) == RECIPE
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()}
    assert {name: mode for name, mode in modes.items() if mode == 0o600}.keys() == {
        name for name in RECIPE if "key" in name
    }


def test_what_a_bundle_holds_passes_its_own_check_and_that_of_openssl(
    made: Path, run: Run, here: Path
) -> None:
    assert made == here / "made"
    for party, more in {"server": ["--address", "10.0.0.7"], "client": []}.items():
        certificate, key, ca = (f"made/{file}.pem" for file in (f"{party}-cert", f"{party}-key", "ca-cert"))
        ended = run("certs", "check", certificate, "--key", key, "--ca", ca, "--for", party, *more)
        assert (ended.code, ended.out, ended.err) == (0, f"{certificate}: nothing is wrong\n", "")
        openssl(here, "verify", "-x509_strict", "-CAfile", ca, certificate)


def test_a_bundle_has_as_many_servers_and_clients_as_asked_below_an_intermediate(
    run: Run, here: Path
) -> None:
    ended = run(
        *("certs", "bundle", "made", "--key-type", "ecdsa", "--intermediate", "--permit", "agents.example"),
        *("--server", "eu=eu.agents.example", "--server", "us=us.agents.example,agents.example"),
        *("--client", "ada", "--client", "grace", "--unit", "CLI"),
    )
    assert ended.code == 0
    authorities, parties = ("ca", "intermediate"), ("ada", "eu", "grace", "us")
    assert names_in(here / "made") == sorted(
        f"{stem}-{what}.pem" for stem in (*authorities, *parties) for what in ("cert", "key")
    )
    for party in parties:
        file = f"made/{party}-cert.pem"
        openssl(here, "verify", "-x509_strict", "-CAfile", "made/ca-cert.pem", "-untrusted", file, file)
    assert (
        run(
            "certs", "check", "made/us-cert.pem", "--ca", "made/ca-cert.pem", "--address", "agents.example"
        ).code
        == 0
    )


def test_a_bundle_in_the_mode_tls_has_no_client(run: Run, here: Path) -> None:
    assert run("certs", "bundle", "made", "--key-type", "ecdsa", "--mode", "tls").code == 0
    assert names_in(here / "made") == [name for name in RECIPE if "client" not in name]


def test_a_ca_that_is_there_signs_a_bundle_and_is_not_written_again(made: Path, run: Run, here: Path) -> None:
    ca = ("--ca", "made/ca-cert.pem", "--ca-key", "made/ca-key.pem")
    assert run("certs", "bundle", "more", "--key-type", "ecdsa", *ca, "--client", "grace").code == 0
    assert names_in(here / "more") == ["grace-cert.pem", "grace-key.pem", "server-cert.pem", "server-key.pem"]
    openssl(here, "verify", "-CAfile", str(made / "ca-cert.pem"), "more/grace-cert.pem")


def test_nothing_is_overwritten_unasked(made: Path, run: Run) -> None:
    before = {path: path.read_bytes() for path in made.iterdir()}
    (made / "ca-cert.pem").unlink()
    ended = run("certs", "bundle", "made", "--key-type", "ecdsa")
    assert (ended.code, ended.out) == (1, "")
    assert "the file is there already" in ended.err
    assert "ca-cert.pem" not in names_in(made)
    assert all(path.read_bytes() == content for path, content in before.items() if path.exists())
    assert run("certs", "bundle", "made", "--key-type", "ecdsa", "--force").code == 0
    assert all(path.read_bytes() != content for path, content in before.items())


def test_a_key_gets_a_certificate_by_a_request_and_stays_where_it_is(
    made: Path, run: Run, here: Path
) -> None:
    asked = run(
        *("certs", "issue", "--request", "--name", "agent", "--address", "a.example", "--address", "::1"),
        *("--key-type", "ecdsa", "--key-size", "384", "--organization", "Ultraviolet", "--output", "agent"),
    )
    assert asked.out == "agent-key.pem\nagent-req.pem\n"
    openssl(here, "req", "-in", "agent-req.pem", "-verify", "-noout")
    (here / "agent-key.pem").rename(here / "elsewhere.pem")
    ca = ("--ca", str(made / "ca-cert.pem"), "--ca-key", str(made / "ca-key.pem"))
    assert run("certs", "issue", "agent-req.pem", *ca).out == "agent-cert.pem\n"
    assert run(
        *("certs", "check", "agent-cert.pem", "--key", "elsewhere.pem", "--ca", str(made / "ca-cert.pem")),
        *("--address", "a.example", "--address", "[::1]:7002", "--for", "server"),
    ).code == 0  # fmt: skip


@pytest.mark.parametrize("key_type", ["rsa", "ecdsa", "ed25519"])
def test_a_certificate_is_issued_with_each_kind_of_key(
    key_type: str, made: Path, run: Run, here: Path
) -> None:
    ca = ("--ca", str(made / "ca-cert.pem"), "--ca-key", str(made / "ca-key.pem"))
    size = ("--key-size", "2048") if key_type == "rsa" else ()
    assert run("certs", "issue", "--name", "ada", "--key-type", key_type, *size, *ca).out == (
        "client-key.pem\nclient-cert.pem\n"
    )
    openssl(here, "verify", "-x509_strict", "-CAfile", str(made / "ca-cert.pem"), "client-cert.pem")
    assert run("certs", "check", "client-cert.pem", "--key", "client-key.pem").code == 0


def test_an_encrypted_key_is_used_with_its_passphrase_and_nothing_of_either_is_told(
    made: Path, run: Run, here: Path
) -> None:
    openssl(
        here, "pkcs8", "-topk8", "-in", "made/ca-key.pem", "-out", "sealed.pem", "-passout", f"pass:{PASSPHRASE}"
    )  # fmt: skip
    (here / "sealed.pem").chmod(0o600)
    (here / "passphrase").write_text(f"{PASSPHRASE}\n")
    (here / "passphrase").chmod(0o600)
    (here / "wrong").write_text("canary of another\n")
    (here / "wrong").chmod(0o600)
    issue = ("certs", "issue", "--name", "ada", "--key-type", "ecdsa", "--ca", str(made / "ca-cert.pem"))
    sealed = ("--ca-key", "sealed.pem")
    refused = [
        run(*issue, *sealed, PRISM_IAC_TRACEBACK="1"),
        run(*issue, *sealed, "--passphrase-file", "wrong", PRISM_IAC_TRACEBACK="1"),
    ]
    for ended in refused:
        assert (ended.code, ended.out) == (1, "")
        assert "passphrase" in ended.err
        assert "canary" not in ended.err
        assert (made / "ca-key.pem").read_text().splitlines()[1] not in ended.err
    assert run(*issue, *sealed, "--passphrase-file", "passphrase").code == 0


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_private_key_that_others_may_read_is_refused_with_the_chmod_to_run(
    mode: int, made: Path, run: Run
) -> None:
    (made / "server-key.pem").chmod(mode)
    ended = run("certs", "check", "made/server-cert.pem", "--key", "made/server-key.pem")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("made/server-key.pem:1:1: the private key is open to others than its owner")
    assert "Run `chmod 600 made/server-key.pem`" in ended.err
    (made / "ca-key.pem").chmod(mode)
    ca = ("--ca", "made/ca-cert.pem", "--ca-key", "made/ca-key.pem")
    assert "chmod 600 made/ca-key.pem" in run("certs", "issue", "--name", "x", *ca).err


def test_files_in_other_forms_are_checked_as_they_are(made: Path, run: Run, here: Path) -> None:
    openssl(here, "x509", "-in", "made/server-cert.pem", "-outform", "DER", "-out", "cert.der")
    openssl(here, "pkey", "-in", "made/server-key.pem", "-outform", "DER", "-out", "key.der")
    openssl(
        here, "pkcs12", "-export", "-in", "made/server-cert.pem", "-inkey", "made/server-key.pem",
        "-out", "keys.p12", "-passout", f"pass:{PASSPHRASE}",
    )  # fmt: skip
    (here / "passphrase").write_text(PASSPHRASE)
    for name in ("key.der", "keys.p12", "passphrase"):
        (here / name).chmod(0o600)
    assert run("certs", "check", "cert.der", "--key", "key.der", "--ca", str(made / "ca-cert.pem")).code == 0
    store = ("keys.p12", "--key", "keys.p12", "--passphrase-file", "passphrase")
    assert run("certs", "check", *store, "--address", "10.0.0.7").code == 0
    shut = run("certs", "check", "keys.p12")
    assert (shut.code, "openssl pkcs12 -in" in shut.err) == (1, True)


def test_everything_wrong_is_told_at_once_with_its_file(made: Path, run: Run, here: Path) -> None:
    shutil.copy(made / "client-key.pem", here / "other.pem")
    arguments = (
        *("certs", "check", "made/server-cert.pem", "--key", "other.pem", "--ca", "made/client-cert.pem"),
        *("--address", "b.example", "--at", "2090-01-01"),
    )
    told = run(*arguments)
    assert told.code == 1
    for part in ("ended on", "does not belong", "does not cover b.example", "no chain leads"):
        assert part in told.err
    assert told.err.count("made/server-cert.pem:1:1: ") == 4
    document = json.loads(run(*arguments, "--json").out)
    assert [finding["file"] for finding in document] == ["made/server-cert.pem"] * 4
    assert all(finding["fix"] for finding in document)


def test_a_day_decides_what_a_check_says(made: Path, run: Run) -> None:
    end = load_certificates((made / "server-cert.pem").read_bytes())[0].not_valid_after_utc
    check = ("certs", "check", "made/server-cert.pem", "--ca", "made/ca-cert.pem", "--at")
    assert run(*check, end.isoformat()).code == 0
    assert run(*check, (end + timedelta(seconds=1)).isoformat()).code == 1
    assert run(*check, f"{end + timedelta(days=1):%Y-%m-%d}").code == 1
    assert "not valid before" in run(*check, "2020-01-01").err


def test_certificates_are_shown_in_a_table_and_as_a_document(run: Run, here: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    authority = Authority.create(
        "CA", key=KeySpec(algorithm=KeyAlgorithm.ECDSA), now=now, validity=timedelta(days=10), path_length=1
    )
    below = authority.create_below(
        "below", key=KeySpec(algorithm=KeyAlgorithm.ECDSA), now=now, validity=timedelta(days=2)
    )
    (here / "both.pem").write_bytes(below.certificate_pem + authority.certificate_pem + below.key_pem)
    shown = run("certs", "inspect", "both.pem", "--at", "2026-03-02T12:00:00Z").out.splitlines()
    assert [line.split() for line in shown] == [
        ["FILE", "SUBJECT", "FOR", "KEY", "ENDS", "LEFT"],
        ["both.pem", "CN=below", "CA", "P-256", "2026-03-03T00:00:00Z", "today"],
        ["both.pem", "CN=CA", "CA", "P-256", "2026-03-11T00:00:00Z", "8", "d"],
    ]
    first, second = json.loads(run("certs", "inspect", "both.pem", "--json", "--at", "2026-03-05").out)
    assert (first["issuer"], first["path_length"], first["days_left"]) == ("CN=CA", 0, -2)
    assert (second["is_ca"], second["path_length"], second["days_left"]) == (True, 1, 6)
    assert second["not_after"] == "2026-03-11T00:00:00Z"
    late = run("certs", "inspect", "both.pem", "--at", "2026-03-05").out
    assert "ended" in late
    assert "begins 2026-02-28T23:50:00Z" in run("certs", "inspect", "both.pem", "--at", "2026-01-01").out
    assert private_pem(load_private_key(below.key_pem)).splitlines()[1].decode() not in late


WRONG_USE = {
    "an address that is none": ["bundle", "x", "--address", "a b"],
    "a server without an address": ["bundle", "x", "--server", "eu"],
    "a name that leads elsewhere": ["bundle", "x", "--client", "../ada"],
    "a client with the files of the CA": ["bundle", "x", "--client", "ca"],
    "clients where none have certificates": ["bundle", "x", "--mode", "tls", "--client", "ada"],
    "addresses of nobody": ["bundle", "x", "--server", "eu=a.example", "--address", "b.example"],
    "a mode without files": ["bundle", "x", "--mode", "atls"],
    "a CA without its key": ["bundle", "x", "--ca", "file"],
    "a key without its CA": ["issue", "--name", "x", "--ca-key", "file"],
    "a certificate of nobody": ["issue", "--request"],
    "a request that is given and made": ["issue", "file", "--request"],
    "a validity that is none": ["bundle", "x", "--validity", "1y", "--key-type", "ecdsa"],
    "a time that is none": ["check", "file", "--at", "tomorrow"],
}


@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_exit_code_2_and_writes_nothing(arguments: list[str], run: Run, here: Path) -> None:
    (here / "file").write_text("")
    (here / "file").chmod(0o600)
    ended = run("certs", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error: " in ended.err
    assert names_in(here) == ["file"]


REFUSED = {
    "keys that gRPC has no TLS for": ["bundle", "x", "--key-type", "ed25519"],
    "a size that there is not": ["bundle", "x", "--key-type", "ecdsa", "--key-size", "521"],
    "names beyond what is permitted": ["bundle", "x", "--key-type", "ecdsa", "--permit", "b.example"],
    "two of a name": ["bundle", "x", "--key-type", "ecdsa", "--client", "ada", "--client", "ada"],
    "no validity": ["bundle", "x", "--key-type", "ecdsa", "--validity", "0d"],
    "no certificate": ["check", "file"],
    "nothing to show": ["inspect", "file"],
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_exit_code_1_and_writes_nothing(
    arguments: list[str], run: Run, here: Path
) -> None:
    (here / "file").write_text("")
    ended = run("certs", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert "\n  " in ended.err
    assert names_in(here) == ["file"]
