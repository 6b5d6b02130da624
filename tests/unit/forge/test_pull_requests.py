"""The forge says whose a commit is, and which pull requests are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from prism_iac.errors import Conflict
from prism_iac.forge import PullRequests, number_of_head, pull_requests_of
from tests.unit.forge.stand_in import StandIn, standing_in

HEAD: Final = "5" * 40
KINDS: Final[tuple[Callable[[StandIn], dict[str, str]], ...]] = (StandIn.github, StandIn.gitlab)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        yield server


@pytest.fixture(params=KINDS, ids=["github", "gitlab"])
def pull_requests(server: StandIn, request: pytest.FixtureRequest) -> PullRequests:
    return pull_requests_of(request.param(server))


def test_a_commit_on_any_page_is_found_by_the_head_that_the_forge_tells(
    server: StandIn, pull_requests: PullRequests
) -> None:
    server.heads = {number: f"{number:040}" for number in range(1, 231)} | {231: HEAD}
    assert number_of_head(pull_requests, HEAD) == 231


def test_a_commit_that_is_no_head_any_more_belongs_to_nobody(
    server: StandIn, pull_requests: PullRequests
) -> None:
    server.heads = {7: "6" * 40}
    server.closed = {8}
    with pytest.raises(Conflict, match=f"no open pull request has {HEAD} at its head"):
        number_of_head(pull_requests, HEAD)


def test_a_commit_that_is_the_head_of_two_is_not_guessed_at(
    server: StandIn, pull_requests: PullRequests
) -> None:
    server.heads = {8: HEAD, 7: HEAD}
    with pytest.raises(Conflict, match="more than one pull request: 7, 8"):
        number_of_head(pull_requests, HEAD)


def test_what_is_closed_is_told_from_what_is_open_and_what_never_was(
    server: StandIn, pull_requests: PullRequests
) -> None:
    server.heads = {7: HEAD}
    server.closed = {8}
    assert pull_requests.is_open(7)
    assert not pull_requests.is_open(8)
    with pytest.raises(Conflict, match="404"):
        pull_requests.is_open(9)
