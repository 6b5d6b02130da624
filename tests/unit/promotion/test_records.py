"""Approvals, the chain, and that nothing of it can be touched unseen."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_iac.errors import Conflict, InvalidInput, PrismError, VerificationFailure
from prism_iac.model.stack import LockFile
from prism_iac.pki import Envelope, load_private_key
from prism_iac.promotion import Approved, approve
from prism_iac.spec import load_stack
from prism_iac.spec.lock import require_lock
from prism_iac.spec.promotions import PAYLOAD_TYPE, Promotion, require_promotion, verify_promotions
from tests.unit.promotion.repository import ENVIRONMENTS, Repository


def require(repository: Repository, environment: str = "prod") -> None:
    """What an update asks for."""
    file = repository.stack(environment)
    stack = load_stack(file)
    require_lock(file, stack)
    require_promotion(file, stack)


def approve_as(repository: Repository, name: str, record: Path) -> Approved:
    stack = repository.stack("prod")
    return approve(record, stack_file=stack, key_pem=repository.keys[name].private_pem)


@pytest.fixture
def chain(repository: Repository) -> Repository:
    """Three records of prod, all approved."""
    for number in range(3):
        repository.write("code.py", f"print({number})\n")
        repository.lock("dev")
        record = repository.promote("dev", "prod", by="platform").record
        for name in ("ada", "eve", "grace")[number % 2 :]:
            approve_as(repository, name, record)
    require(repository)
    return repository


def test_two_of_three_approvals_open_an_environment(repository: Repository) -> None:
    with pytest.raises(InvalidInput, match="Bring it with `prism-iac promote`"):
        require(repository)
    record = repository.promote("dev", "prod", by="grace").record
    with pytest.raises(Conflict, match="it takes 2 approvals, and these are there: none"):
        require(repository)
    assert approve_as(repository, "ada", record).approvals.by == ("ada",)
    with pytest.raises(Conflict, match="it takes 2 approvals, and these are there: ada"):
        require(repository)
    assert approve_as(repository, "ada", record).approvals.by == ("ada",)
    approved = approve_as(repository, "eve", record)
    assert approved.approvals.by == ("ada", "eve")
    assert approved.approvals.are_reached
    require(repository)


def test_nobody_approves_their_own_and_others_not_at_all(repository: Repository) -> None:
    record = repository.promote("dev", "prod", by="grace").record
    before = record.read_bytes()
    with pytest.raises(Conflict, match="grace promoted it"):
        approve_as(repository, "grace", record)
    with pytest.raises(Conflict, match="no participant has this key"):
        approve_as(repository, "mallory", record)
    with pytest.raises(Conflict, match=r"\(platform\) is no approver"):
        approve_as(repository, "platform", record)
    assert record.read_bytes() == before


def test_a_lock_that_was_not_promoted_is_refused(chain: Repository) -> None:
    chain.write("code.py", "print(9)\n")
    chain.lock("prod")
    with pytest.raises(VerificationFailure, match=r"the lock does not say what 0003-from-dev\.json says"):
        require(chain)


def test_an_environment_without_promotion_asks_for_no_record(repository: Repository) -> None:
    require(repository, "staging")
    repository.lock("staging")
    require(repository, "staging")


def test_an_approval_counts_as_long_as_the_stack_names_the_approver(repository: Repository) -> None:
    record = repository.promote("dev", "prod", by="platform").record
    for name in ("ada", "eve"):
        approve_as(repository, name, record)
    require(repository)
    prod = ENVIRONMENTS["prod"]
    repository.write("prod.yaml", prod.replace("[ada, grace, eve]", "[ada, grace]"))
    with pytest.raises(Conflict, match="it takes 2 approvals, and these are there: ada"):
        require(repository)
    repository.write("prod.yaml", prod.replace("approvals: 2", "approvals: 3"))
    with pytest.raises(Conflict, match="it takes 3 approvals, and these are there: ada, eve"):
        require(repository)
    repository.write("prod.yaml", prod.replace("approvals: 2", "approvals: 1"))
    require(repository)


def test_keys_of_earlier_records_may_have_changed_since(chain: Repository) -> None:
    # Eve left after the second record: the third has no signature of hers.
    record = chain.folder / "promotions" / "prod" / "0003-from-dev.json"
    record.unlink()
    chain.write("code.py", "print(2)\n")
    chain.promote("dev", "prod", by="platform")
    for name in ("ada", "grace"):
        approve_as(chain, name, record)
    chain.write(
        "base.yaml", (chain.folder / "base.yaml").read_text().replace("eve.pub.pem", "mallory.pub.pem")
    )
    verify_promotions(chain.stack("prod"), load_stack(chain.stack("prod")))


def test_a_record_that_was_never_approved_is_replaced_not_built_upon(repository: Repository) -> None:
    first = repository.promote("dev", "prod", by="grace")
    approve_as(repository, "ada", first.record)
    repository.write("code.py", "print(3)\n")
    repository.lock("dev")
    second = repository.promote("dev", "prod", by="eve")
    assert second.replaced == first.record
    assert second.promotion.number == 1
    assert [path.name for path in first.record.parent.iterdir()] == ["0001-from-dev.json"]
    with pytest.raises(Conflict, match="these are there: none"):
        require(repository)


def test_only_the_latest_record_is_approved(chain: Repository) -> None:
    folder = chain.folder / "promotions" / "prod"
    with pytest.raises(Conflict, match="not the latest record of prod"):
        approve_as(chain, "grace", folder / "0001-from-dev.json")


Touch = Callable[[Path], None]


def drop_first(folder: Path) -> None:
    (folder / "0001-from-dev.json").unlink()


def drop_middle(folder: Path) -> None:
    (folder / "0002-from-dev.json").unlink()


def drop_latest(folder: Path) -> None:
    (folder / "0003-from-dev.json").unlink()


def drop_all(folder: Path) -> None:
    shutil.rmtree(folder)


def rename(folder: Path) -> None:
    (folder / "0002-from-dev.json").rename(folder / "0002-from-staging.json")


def swap(folder: Path) -> None:
    one, two = (folder / f"000{number}-from-dev.json" for number in (1, 2))
    text = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(text)


def repeat(folder: Path) -> None:
    shutil.copy(folder / "0003-from-dev.json", folder / "0004-from-dev.json")


def drop_a_surplus_approval(folder: Path) -> None:
    """Of an earlier record, which has one approval more than it takes."""
    path = folder / "0001-from-dev.json"
    envelope = Envelope.parse(path.read_bytes())
    assert len(envelope.signatures) == 4
    path.write_bytes(replace(envelope, signatures=envelope.signatures[:-1]).to_bytes())


def stray(folder: Path) -> None:
    (folder / "notes.txt").write_text("approved by phone\n")


@pytest.mark.parametrize(
    "touch",
    [
        drop_first,
        drop_middle,
        drop_latest,
        drop_all,
        rename,
        swap,
        repeat,
        drop_a_surplus_approval,
        stray,
    ],
)
def test_records_that_were_touched_are_refused(chain: Repository, touch: Touch) -> None:
    touch(chain.folder / "promotions" / "prod")
    with pytest.raises(PrismError):
        require(chain)


@pytest.mark.parametrize(
    ("changes", "named", "said"),
    [
        ({"number": 2}, "0002-from-dev.json", "it has the number 2 where 1 follows"),
        ({}, "0001-from-staging.json", r"a record that says this is called 0001-from-dev\.json"),
        ({"environment": "dev"}, "0001-from-dev.json", "it is about the environment dev"),
        ({"previous_sha256": "0" * 64}, "0001-from-dev.json", "it is the first, and names one before it"),
        ({"promoted_by": "ada"}, "0001-from-dev.json", "it is not signed by ada, who promoted it"),
        ({"lock": LockFile(environment="staging")}, "0001-from-dev.json", "the lock does not say what"),
    ],
)
def test_a_record_that_is_rightly_signed_must_say_the_right_things(
    repository: Repository, changes: dict[str, Any], named: str, said: str
) -> None:
    carried = repository.promote("dev", "staging", by="grace")
    carried.record.unlink()
    forged = carried.promotion.model_copy(update=changes)
    sign(repository, Envelope(PAYLOAD_TYPE, forged.to_payload()), "grace", carried.record.with_name(named))
    with pytest.raises(VerificationFailure, match=said):
        verify_promotions(repository.stack("staging"), load_stack(repository.stack("staging")))


@pytest.mark.parametrize(
    ("kind", "respelled", "said"),
    [
        ("text/plain", False, f"its payload is no {PAYLOAD_TYPE}"),
        (PAYLOAD_TYPE, True, "the statement is not written as a promotion writes it"),
    ],
)
def test_a_payload_has_one_type_and_one_spelling(
    repository: Repository, kind: str, said: str, *, respelled: bool
) -> None:
    carried = repository.promote("dev", "staging", by="grace")
    payload = carried.promotion.to_payload()
    payload = json.dumps(json.loads(payload)).encode() if respelled else payload
    sign(repository, Envelope(kind, payload), "grace", carried.record)
    with pytest.raises(VerificationFailure, match=re.escape(said)):
        verify_promotions(repository.stack("staging"), load_stack(repository.stack("staging")))


def test_a_history_that_was_not_approved_is_neither_verified_nor_built_upon(chain: Repository) -> None:
    folder = chain.folder / "promotions" / "prod"
    paths = sorted(folder.iterdir())
    first = Envelope.parse(paths[0].read_bytes())
    previous = None
    for path in paths:
        promotion = Promotion.parse(Envelope.parse(path.read_bytes()).payload)
        payload = promotion.model_copy(update={"previous_sha256": previous}).to_payload()
        sign(chain, Envelope(first.payload_type, payload), "platform", path)
        if path is not paths[0]:
            approve_all(chain, path)
        previous = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(Conflict, match="it takes 2 approvals, and these are there: none"):
        require(chain)
    with pytest.raises(Conflict, match="these are there: none"):
        chain.promote("dev", "prod", by="platform")


def sign(repository: Repository, envelope: Envelope, name: str, path: Path) -> None:
    path.write_bytes(envelope.signed(load_private_key(repository.keys[name].private_pem)).to_bytes())


def approve_all(repository: Repository, path: Path) -> None:
    for name in ("ada", "eve", "grace"):
        sign(repository, Envelope.parse(path.read_bytes()), name, path)


def test_an_environment_that_takes_promotions_passes_on_only_what_it_was_promoted(chain: Repository) -> None:
    record = chain.folder / "promotions" / "prod" / "0003-from-dev.json"
    state = chain.state("prod")
    chain.promote("prod", "staging", state=state)
    record.unlink()
    with pytest.raises(VerificationFailure, match="the lock does not say what"):
        chain.promote("prod", "staging", state=state)


@pytest.mark.parametrize("touch", [drop_first, drop_middle, rename, swap, repeat, drop_a_surplus_approval])
def test_nothing_is_built_upon_records_that_were_touched(chain: Repository, touch: Touch) -> None:
    folder = chain.folder / "promotions" / "prod"
    touch(folder)
    before = chain.contents()
    with pytest.raises(VerificationFailure):
        chain.promote("dev", "prod", by="platform")
    with pytest.raises(VerificationFailure):
        approve_as(chain, "ada", max(folder.iterdir()))
    assert chain.contents() == before


def test_records_of_another_environment_do_not_pass(chain: Repository) -> None:
    shutil.copytree(chain.folder / "promotions" / "prod", chain.folder / "promotions" / "staging")
    shutil.copy(chain.folder / "prod.lock.yaml", chain.folder / "staging.lock.yaml")
    with pytest.raises(VerificationFailure, match="it is about the environment prod"):
        verify_promotions(chain.stack("staging"), load_stack(chain.stack("staging")))


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_change_of_any_byte_of_any_record_is_found(chain: Repository, data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(sorted((chain.folder / "promotions" / "prod").iterdir())))
    before = record.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    change = data.draw(st.integers(1, 255))
    record.write_bytes(before[:at] + bytes([before[at] ^ change]) + before[at + 1 :])
    try:
        with pytest.raises(VerificationFailure):
            require(chain)
    finally:
        record.write_bytes(before)
