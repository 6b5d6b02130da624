from __future__ import annotations

import pytest

from prism_iac.agent.server._chunks import ChunkAssembler


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_pieces_of_two_manifests_may_come_mixed() -> None:
    chunks = ChunkAssembler(Clock())
    assert chunks.add("a", b"1", is_last=False) is None
    assert chunks.add("b", b"x", is_last=False) is None
    assert chunks.add("a", b"2", is_last=True) == b"12"
    assert chunks.add("b", b"", is_last=True) == b"x"


def test_a_finished_manifest_is_forgotten() -> None:
    chunks = ChunkAssembler(Clock())
    chunks.add("a", b"1", is_last=True)
    assert chunks.add("a", b"2", is_last=True) == b"2"


def test_a_manifest_that_stays_idle_for_30_seconds_is_dropped() -> None:
    clock = Clock()
    chunks = ChunkAssembler(clock)
    chunks.add("a", b"1", is_last=False)
    clock.seconds = 29.9
    chunks.add("a", b"2", is_last=False)
    clock.seconds = 29.9 + 30
    assert chunks.add("a", b"3", is_last=True) == b"3"


def test_unfinished_manifests_do_not_fill_the_memory() -> None:
    chunks = ChunkAssembler(Clock())
    piece = bytes(16 << 20)
    for name in "abcd":
        chunks.add(name, piece, is_last=False)
    with pytest.raises(ValueError, match="more than"):
        chunks.add("e", b"1", is_last=False)
    assert chunks.add("a", b"", is_last=True) == piece
    assert chunks.add("e", b"2", is_last=True) == b"2"
