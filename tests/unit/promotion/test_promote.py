"""Carrying what was proven, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from prism_iac.errors import Conflict, InvalidInput, PrismError
from prism_iac.pki import Envelope
from prism_iac.spec import load_stack
from prism_iac.spec.lock import read_lock, require_lock
from prism_iac.spec.promotions import verify_promotions
from tests.unit.promotion.repository import BASE, ENVIRONMENTS, NOW, Repository


def test_what_was_proven_is_locked_in_the_next_environment_and_said_in_a_record(
    repository: Repository,
) -> None:
    carried = repository.promote("dev", "staging")
    staging = load_stack(repository.stack("staging"))
    require_lock(repository.stack("staging"), staging)
    assert [record.path for record in verify_promotions(repository.stack("staging"), staging)] == [
        carried.record
    ]
    assert carried.record == repository.folder / "promotions" / "staging" / "0001-from-dev.json"
    statement = json.loads(Envelope.parse(carried.record.read_bytes()).payload)
    manifest = repository.manifest("staging").portable().digest().hex()
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {"name": "fit", "digest": {"sha3_256": manifest}} in statement["subject"]
    fit = statement["predicate"]["computations"]["fit"]
    assert fit["assets"] == {
        "code": hashlib.sha3_256(b"print(1)\n").hexdigest(),
        "numbers": hashlib.sha3_256(b"1\n2\n").hexdigest(),
    }
    assert fit["evidence"] == {
        "run": "run-fit",
        "number": 1,
        "manifest_sha3_256": repository.manifest("dev").digest().hex(),
        "result_sha3_256": "ab" * 32,
        "ended": "2026-02-28T12:00:00+00:00",
    }
    assert statement["predicate"]["promoted_by"] == "grace"


def test_the_evidence_may_come_from_a_stack_of_the_native_plugin(repository: Repository) -> None:
    state = json.loads(
        json.dumps(repository.state("dev"))
        .replace("pulumi-python:dynamic/prism:", "prism:index:")
        .replace("manifest_sha3_256", "manifestSha3256")
        .replace("end_time", "endTime")
    )
    repository.promote("dev", "staging", state=state)


Breaks = Callable[[Repository], list[dict[str, object]]]


def never_deployed(repository: Repository) -> list[dict[str, object]]:
    return [item for item in repository.state("dev") if item["id"] != repository.manifest("dev").id]


def never_run(repository: Repository) -> list[dict[str, object]]:
    return [item for item in repository.state("dev") if item["id"] != "run-fit"]


def changed_since(repository: Repository) -> list[dict[str, object]]:
    state = repository.state("dev")
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    return state


def run_of_another_manifest(repository: Repository) -> list[dict[str, object]]:
    return repository.state("dev", manifest_sha3_256="00" * 32)


def still_running(repository: Repository) -> list[dict[str, object]]:
    return repository.state("dev", status="running", end_time=None)


def failed(repository: Repository) -> list[dict[str, object]]:
    return repository.state("dev", status="failed")


def endless(repository: Repository) -> list[dict[str, object]]:
    return repository.state("dev", end_time=None)


def long_ago(repository: Repository) -> list[dict[str, object]]:
    return repository.state("dev", ended=NOW - timedelta(days=31))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (never_deployed, "the state has no such computation"),
        (never_run, "the state has no run of it"),
        (changed_since, "the lock pins another manifest than the state has"),
        (run_of_another_manifest, "run #1 was of another manifest"),
        (still_running, "run #1 is running as far as the state knows"),
        (failed, "run #1 is failed"),
        (endless, "does not say when run #1 ended"),
        (
            long_ago,
            r"run #1 ended 2026-01-29T12:00:00\+00:00, and only what ended since 2026-01-30T12:00:00\+00:00 counts",
        ),
    ],
)
def test_what_has_not_completed_a_run_is_refused_and_nothing_is_written(
    repository: Repository, breaks: Breaks, said: str
) -> None:
    state = breaks(repository)
    before = repository.contents()
    with pytest.raises(Conflict, match=said) as caught:
        repository.promote("dev", "staging", state=state)
    assert caught.value.where == "dev: fit"
    assert caught.value.next_step
    assert repository.contents() == before


def test_a_lock_is_needed_first(repository: Repository) -> None:
    (repository.folder / "dev.lock.yaml").unlink()
    with pytest.raises(Conflict, match="nothing is pinned here yet"):
        repository.promote("dev", "staging")


@pytest.mark.fault(66)
def test_a_file_that_moved_on_since_the_run_is_not_carried(repository: Repository) -> None:
    state = repository.state("dev")
    repository.write("code.py", "print(3)\n")
    before = repository.contents()
    with pytest.raises(Conflict, match=r"code is .* here, and what was proven is "):
        repository.promote("dev", "staging", state=state)
    assert repository.contents() == before


def test_the_same_bytes_under_another_name_of_file_are_not_what_was_proven(repository: Repository) -> None:
    repository.write(
        "staging.yaml", ENVIRONMENTS["staging"] + "assets: {numbers: {file_name: numbers.txt, file: n.csv}}\n"
    )
    repository.write("n.csv", "1\n2\n")
    with pytest.raises(PrismError):
        repository.promote("dev", "staging")


def test_other_assets_of_the_same_names_do_not_pass(repository: Repository) -> None:
    repository.write("staging.yaml", ENVIRONMENTS["staging"] + "computations: {fit: {datasets: []}}\n")
    with pytest.raises(Conflict, match="other assets, or other file names, than what was proven"):
        repository.promote("dev", "staging")


def fetched(host: str, argument: str) -> str:
    """The algorithm as an entry that agents fetch."""
    source = f'source: {{url: "https://{host}.example.com/code.py"}}'
    return f"assets: {{code: {{{source}, arguments: [{argument}]}}}}\n"


def test_a_source_may_be_another_one_and_what_it_is_started_with_may_not(repository: Repository) -> None:
    repository.write("dev.yaml", ENVIRONMENTS["dev"] + fetched("data", "--fast"))
    repository.lock("dev")
    repository.write("staging.yaml", ENVIRONMENTS["staging"] + fetched("mirror", "--slow"))
    with pytest.raises(Conflict, match="starts its algorithm in another way than what was proven"):
        repository.promote("dev", "staging")
    repository.write("staging.yaml", ENVIRONMENTS["staging"] + fetched("mirror", "--fast"))
    repository.promote("dev", "staging")


def test_only_who_is_known_signs(repository: Repository) -> None:
    with pytest.raises(Conflict, match="no participant has this key"):
        repository.promote("dev", "staging", by="mallory")
    with pytest.raises(Conflict, match="no participant has this key"):
        repository.promote("dev", "staging", by="platform")
    assert repository.promote("dev", "prod", by="platform").promotion.promoted_by == "(platform)"


def test_a_name_that_is_not_pinned_is_told(repository: Repository) -> None:
    with pytest.raises(InvalidInput, match='no computation "fat"'):
        repository.promote("dev", "staging", "fat")


def test_stated_checksums_are_edited_in_their_place_and_all_else_stays(repository: Repository) -> None:
    old = hashlib.sha3_256(b"print(1)\n").hexdigest()
    stated = (
        "# The stage before production.\n"
        "extends: base.yaml\nenvironment:   staging   # as the bucket is called\nworkspace: lab-staging\n"
        f"assets:\n    code: {{checksum: '{old}'}}   # reviewed by eve\n"
    )
    repository.write("staging.yaml", stated)
    repository.promote("dev", "staging")
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    with pytest.raises(InvalidInput, match="this is not the SHA3-256 of"):
        load_stack(repository.stack("staging"))
    carried = repository.promote("dev", "staging")
    new = hashlib.sha3_256(b"print(3)\n").hexdigest()
    assert repository.stack("staging").read_text() == stated.replace(old, new)
    assert [path.name for path in carried.edited] == ["staging.yaml"]
    assert carried.record.name == "0002-from-dev.json"


def test_an_edit_is_taken_back_when_the_promotion_is_refused(repository: Repository) -> None:
    old = hashlib.sha3_256(b"print(1)\n").hexdigest()
    repository.write("staging.yaml", ENVIRONMENTS["staging"] + f"assets: {{code: {{checksum: {old}}}}}\n")
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    before = repository.contents()
    with pytest.raises(Conflict, match="no participant has this key"):
        repository.promote("dev", "staging", by="mallory")
    assert repository.contents() == before


def test_what_is_not_named_does_not_come_along(repository: Repository) -> None:
    with pytest.raises(Conflict, match="other was never promoted, and is not named"):
        repository.promote("dev", "staging", "fit")
    repository.promote("dev", "staging")
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    repository.promote("dev", "staging", "fit", state=repository.state("dev", "fit"))
    repository.write("code.py", "print(4)\n")
    repository.write("other.py", "print(5)\n")
    repository.lock("dev")
    with pytest.raises(Conflict, match="other changes with it, and is not named"):
        repository.promote("dev", "staging", "fit")


def test_comments_in_the_lock_stay(repository: Repository) -> None:
    repository.promote("dev", "staging")
    lock = repository.folder / "staging.lock.yaml"
    lock.write_text(lock.read_text().replace("  code:\n", "  # From the registry.\n  code:\n"))
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    repository.promote("dev", "staging")
    assert "  # From the registry.\n  code:\n" in lock.read_text()
    locked = read_lock(repository.stack("staging"))
    assert locked is not None
    assert locked.pins.assets["code"].sha3_256 == hashlib.sha3_256(b"print(3)\n").hexdigest()


def test_parity_says_what_differs_and_where(repository: Repository) -> None:
    repository.write(
        "staging.yaml",
        ENVIRONMENTS["staging"] + "computations: {fit: {result_consumers: [eve], triggers: {round: 2}}}\n",
    )
    repository.write("dev.yaml", ENVIRONMENTS["dev"] + "endpoint: embedded\n")
    carried = repository.promote("dev", "staging")
    rows = {row.field: (row.source, row.target, row.why) for row in carried.parity}
    folder = repository.folder
    assert rows == {
        "workspace": ("lab", "lab-staging", f"staging says so at {folder}/staging.yaml:3:12"),
        "endpoint": ("embedded", None, f"only dev says it, at {folder}/dev.yaml:4:11"),
        "computations.fit.result_consumers": (
            ["ada"],
            ["eve"],
            f"staging says so at {folder}/staging.yaml:4:40",
        ),
        "computations.fit.triggers.round": (None, 2, f"staging says so at {folder}/staging.yaml:4:65"),
    }
    fit = carried.promotion.computations["fit"]
    assert fit.manifest_sha3_256 != fit.source_manifest_sha3_256


def test_an_environment_goes_on_to_the_next_only_with_its_own_evidence(repository: Repository) -> None:
    repository.promote("dev", "staging")
    with pytest.raises(Conflict, match="the state has no such computation"):
        repository.promote("staging", "prod", state=[])
    repository.promote("staging", "prod")
    assert (repository.folder / "base.yaml").read_text() == BASE
