"""A promotion is killed before each change that it makes to a file; the next one ends as if nothing had been."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from prism_iac.errors import PrismError
from prism_iac.spec import load_stack
from prism_iac.spec.lock import read_lock, require_lock
from prism_iac.spec.promotions import verify_promotions
from prism_iac.testing.faults import die_before_change
from tests.faults.scenarios import PROCESSES
from tests.unit.promotion.repository import Repository

# Record and lock have a file each, which is made beside its place and renamed.
LEAST_CHANGES = 4


def promote_until(repository: Repository, target: str, number: int) -> None:
    die_before_change(repository.folder, number)
    repository.promote("dev", target)


def is_cut_off(repository: Repository, target: str, number: int) -> bool:
    """Promote in a process of its own; whether it was killed."""
    process = PROCESSES.Process(target=promote_until, args=(repository, target, number))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.mark.parametrize("target", ["staging", "prod"])
def test_a_promotion_that_was_killed_is_made_again(tmp_path: Path, target: str) -> None:
    number = 0
    while True:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        repository = Repository(folder)
        repository.lock("dev")
        if not is_cut_off(repository, target, number):
            break
        if not is_promoted(repository, target):
            repository.promote("dev", target)
        assert is_promoted(repository, target), f"before change {number}"
        assert set(repository.contents()) == set(undisturbed(tmp_path, target)), f"before change {number}"
    assert number > LEAST_CHANGES


def is_promoted(repository: Repository, target: str) -> bool:
    """Whether the lock holds and rests on a record; in production that waits for approvals still."""
    file = repository.stack(target)
    stack = load_stack(file)
    if read_lock(file) is None:
        return False
    require_lock(file, stack)
    try:
        return bool(verify_promotions(file, stack))
    except PrismError as refusal:
        return "approvals" in str(refusal)


def undisturbed(tmp_path: Path, target: str) -> dict[str, bytes]:
    """The files after a promotion that was not killed."""
    folder = tmp_path / "undisturbed"
    if not folder.exists():
        folder.mkdir()
        repository = Repository(folder)
        repository.lock("dev")
        repository.promote("dev", target)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
