from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import get_args

import pytest

from prism_iac.cli._files import read_public_key, write_file
from prism_iac.cli._keys import KeyType
from prism_iac.cli._uploads import AlgorithmType
from prism_iac.errors import Conflict, InvalidInput
from prism_iac.model import AlgorithmRuntime
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, load_private_key, parse_public_key
from tests.unit.cli.conftest import Run


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_kinds_on_the_command_line_are_those_of_the_model() -> None:
    assert set(get_args(KeyType)) == set(KeyAlgorithm)
    assert set(get_args(AlgorithmType)) == set(AlgorithmRuntime)


@pytest.mark.parametrize("key_type", ["ecdsa", "ed25519"])
def test_a_pair_belongs_together_and_only_its_owner_reads_the_private_half(
    key_type: str, run: Run, here: Path
) -> None:
    os.umask(0)
    ended = run("keys", "--type", key_type, "--output", "ada")
    assert (ended.code, ended.out) == (0, "ada.pem\nada.pub.pem\n")
    private, public = here / "ada.pem", here / "ada.pub.pem"
    assert (mode_of(private), mode_of(public)) == (0o600, 0o644)
    generated = load_private_key(private.read_bytes()).public_key()
    assert read_public_key(public).encode() == public.read_bytes()
    assert parse_public_key(public.read_bytes()) == parse_public_key(_pem(generated))


def _pem(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # a public key of any kind
    return pem


def test_without_a_prefix_the_files_have_the_names_of_the_field_and_the_key_is_rsa(
    run: Run, here: Path
) -> None:
    assert run("keys").out == "private.pem\npublic.pem\n"
    assert type(load_private_key((here / "private.pem").read_bytes())).__name__ == "RSAPrivateKey"


@pytest.mark.parametrize("there", ["ada.pem", "ada.pub.pem"])
def test_nothing_is_overwritten_and_nothing_half_is_left(there: str, run: Run, here: Path) -> None:
    (here / there).write_text("mine")
    ended = run("keys", "--type", "ed25519", "--output", "ada")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"{there}: the file is there already\n  Name another, or say --force.\n"
    assert [path.name for path in here.iterdir()] == [there]
    assert (here / there).read_text() == "mine"


def test_a_dangling_link_counts_as_a_file(run: Run, here: Path) -> None:
    (here / "ada.pem").symlink_to("nowhere")
    assert run("keys", "--type", "ed25519", "--output", "ada").code == 1
    assert not (here / "nowhere").exists()


def test_with_force_a_pair_is_replaced_whole(run: Run, here: Path) -> None:
    (here / "ada.pem").write_text("old")
    (here / "ada.pem").chmod(0o644)
    assert run("keys", "--type", "ed25519", "--output", "ada", "--force").code == 0
    assert mode_of(here / "ada.pem") == 0o600
    load_private_key((here / "ada.pem").read_bytes())


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("mine")
    with pytest.raises(Conflict):
        write_file(path, b"other", mode=0o600, force=False)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("key.pem", "mine")]


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(generate_key_pair(KeyAlgorithm.ED25519).private_pem)
    with pytest.raises(InvalidInput, match="private key"):
        read_public_key(path)


def test_a_public_key_in_der_is_registered_as_pem(tmp_path: Path) -> None:
    pair = generate_key_pair(KeyAlgorithm.ED25519)
    path = tmp_path / "key.der"
    path.write_bytes(parse_public_key(pair.public_pem))
    assert read_public_key(path).encode() == pair.public_pem
