from __future__ import annotations

from itertools import repeat

from prism_iac.agent.server._backoff import Backoff


def test_delays_double_from_a_fifth_of_a_second_to_five() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next_delay() for _ in repeat(None, 7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_chance_takes_away_half_at_most() -> None:
    backoff = Backoff(lambda: 0.0)
    assert backoff.next_delay() == 0.1


def test_a_peer_that_was_there_is_tried_again_soon() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(5):
        backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == 0.2
