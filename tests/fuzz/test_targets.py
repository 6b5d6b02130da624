"""Whatever others write is read, or refused with an error for people, in bounded time and memory.

The short form of `make fuzz`: what has ever been found once more, and inputs near to it.
"""

from __future__ import annotations

import hashlib
import resource
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import inputs_near
from tests.fuzz.table import TARGETS
from tests.fuzz.target import CORPUS, FOUND, Target, ask, corpus_of, time_limit

EXAMPLES: Final = 50
SECONDS_EACH: Final = 10.0
MOST_MORE_MEMORY_KIB: Final = 256 << 10
MOST_CORPUS_BYTES: Final = 1 << 20

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@each_target
def test_what_is_well_formed_is_accepted(target: Target) -> None:
    """Otherwise all that follows would knock at a closed door."""
    with time_limit(SECONDS_EACH * len(corpus_of(target))):
        accepted = [ask(target, data) for data in corpus_of(target)]
    assert any(accepted)


@each_target
def test_what_is_near_to_it_is_read_or_refused(target: Target) -> None:
    corpus = corpus_of(target)

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(data=inputs_near(corpus))
    def read(data: bytes) -> None:
        try:
            with time_limit(SECONDS_EACH):
                ask(target, data)
        except Exception as error:
            error.add_note(f"The input is in {kept(target, data)}.")
            raise

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MORE_MEMORY_KIB


def kept(target: Target, data: bytes) -> Path:
    """Where an input lies that something is wrong with, to be moved into the corpus."""
    folder = FOUND / "problems" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path


def test_the_corpus_is_of_the_targets_and_small() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == {target.name for target in TARGETS}
    assert sum(file.stat().st_size for file in CORPUS.rglob("*")) < MOST_CORPUS_BYTES
