"""The identity that an object is created under, as the engine's calls follow each other."""

from __future__ import annotations

from prism_iac.lifecycle import Generations

BASE = "0123456789ab"
FIRST, SECOND, THIRD = (f"{BASE}.{generation}" for generation in range(3))


def test_a_create_begins_with_the_first() -> None:
    assert Generations().identity(BASE, {}) == FIRST


def test_an_update_keeps_it() -> None:
    assert Generations().identity(BASE, {"identity": SECOND}) == SECOND


def test_a_replacement_takes_the_next() -> None:
    generations = Generations()
    generations.identity(BASE, {"identity": FIRST})
    assert generations.identity(BASE, {}) == SECOND


def test_a_create_after_the_delete_of_a_replacement_keeps_the_one_of_its_check() -> None:
    generations = Generations()
    generations.identity(BASE, {"identity": FIRST})
    inputs = generations.identity(BASE, {})
    generations.retire(FIRST)
    assert generations.unused(inputs) == SECOND


def test_a_replacement_that_a_user_asks_for_takes_one_later_than_the_deleted() -> None:
    # The engine checks without old inputs alone, so the check says the first again.
    generations = Generations()
    inputs = generations.identity(BASE, {})
    generations.retire(SECOND)
    assert inputs == FIRST
    assert generations.unused(inputs) == THIRD


def test_an_update_after_a_killed_replacement_finds_the_identity_that_it_had_begun_with() -> None:
    # The state's inputs say the first, its outputs the second; the create that was killed had the third.
    generations = Generations()
    generations.identity(BASE, {"identity": FIRST})
    generations.note(SECOND)
    assert generations.identity(BASE, {}) == THIRD


def test_resources_do_not_disturb_each_other() -> None:
    generations = Generations()
    generations.identity(BASE, {"identity": SECOND})
    generations.retire(SECOND)
    other = generations.identity("ba9876543210", {})
    assert generations.unused(other) == "ba9876543210.0"
