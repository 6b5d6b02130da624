"""`prism-iac promote`, from the files of a repository and an exported state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.promotion.repository import Repository


@pytest.fixture
def repository(here: Path) -> Repository:
    """Three environments; dev is locked, its state is exported, and the keys lie beside."""
    repository = Repository(here)
    repository.lock("dev")
    for name, pair in repository.keys.items():
        (here / f"{name}.pem").write_bytes(pair.private_pem)
    resources = repository.state("dev", ended=datetime.now(UTC))
    (here / "state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return repository


ARGUMENTS = ("dev.yaml", "prod.yaml", "--key", "grace.pem", "--state", "state.json")
RECORD = "promotions/prod/0001-from-dev.json"


def test_from_a_lock_to_an_approved_record(run: Run, repository: Repository) -> None:
    carried = run("promote", *ARGUMENTS)
    assert carried.code == 0, carried.err
    assert carried.out.splitlines()[-1] == RECORD
    rows = [" ".join(line.split()) for line in carried.out.splitlines()]
    assert "workspace lab lab-prod prod says so at prod.yaml:3:12" in rows
    assert "fit: proven by run #1" in carried.err
    assert "2 approvals are needed of ada, grace, eve" in carried.err
    early = run("promote", "verify", "--stack", "prod.yaml")
    assert early.code == 1
    assert f"promote approve {RECORD}" in early.err
    for name, told in (("ada", "ada approves; 1 of 2: ada"), ("eve", "eve approves; 2 of 2: ada, eve")):
        approved = run("promote", "approve", RECORD, "--stack", "prod.yaml", "--key", f"{name}.pem")
        assert approved.out == f"{told}\n"
        assert f"manifest {repository.manifest('prod').portable().digest().hex()}" in approved.err
    verified = run("promote", "verify", "--stack", "prod.yaml")
    assert verified.code == 0
    assert verified.out.splitlines()[-1].split()[:3] == ["0001-from-dev.json", "dev", "grace"]


def test_what_was_touched_is_told_with_an_exit_code_of_its_own(run: Run, repository: Repository) -> None:
    run("promote", *ARGUMENTS)
    record = repository.folder / RECORD
    record.write_bytes(record.read_bytes().replace(b"keyid", b"keyId"))
    ended = run("promote", "verify", "--stack", "prod.yaml")
    assert ended.code == 4
    assert RECORD in ended.err


def test_files_that_moved_on_after_the_promotion_do_not_verify(run: Run, repository: Repository) -> None:
    assert run("promote", "dev.yaml", "staging.yaml", *ARGUMENTS[2:]).code == 0
    assert run("promote", "verify", "--stack", "staging.yaml").code == 0
    repository.write("numbers.csv", "4\n")
    ended = run("promote", "verify", "--stack", "staging.yaml")
    assert ended.code == 1
    assert "assets.numbers.sha3_256: the lock says " in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere", "prod.yaml", *ARGUMENTS[2:]), 1, "there is no stack file stacks/nowhere.yaml"),
        ((*ARGUMENTS, "--max-age", "soon"), 2, "soon"),
        ((*ARGUMENTS[:4], "--state", "base.yaml"), 1, "this is no exported state"),
        ((*ARGUMENTS[:2], "fat", *ARGUMENTS[2:]), 1, 'no computation "fat"'),
        (("dev.yaml",), 2, "Missing argument"),
        (
            ("--key", "grace.pem", "dev.yaml", "prod.yaml", "--max-age", "0s", "--state", "state.json"),
            1,
            "and only what ended since",
        ),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    run: Run, repository: Repository, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = repository.contents()
    ended = run("promote", *arguments)
    assert (ended.code, said in ended.err) == (code, True), ended.err
    assert repository.contents() == before
