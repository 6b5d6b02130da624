"""One comment for each stack is left, and none of anybody else's is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from prism_iac.errors import Conflict, InvalidInput, RemoteFailure
from prism_iac.forge import COMMENT_CHARACTERS, Forge, NotAllowed, Rest, composed, forge_of, publish
from prism_iac.forge._github import GitHub
from tests.unit.forge.stand_in import TOKEN, Refusal, StandIn, standing_in

OLD: Final = composed("dev", "old")
NEW: Final = composed("dev", "new")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def forge(server: StandIn, pauses: list[float]) -> Forge:
    rest = Rest(
        server.url,
        headers={"Authorization": f"Bearer {TOKEN}"},
        secret=TOKEN,
        pause=pauses.append,
        clock=lambda: 1000.0,
    )
    return GitHub(rest, repository="o/r", number=7)


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_is_made_once_and_then_edited_in_place(server: StandIn, kind: str) -> None:
    variables = server.github() if kind == "github" else server.gitlab()
    publish(forge_of(variables), stack="dev", body=OLD)
    publish(forge_of(variables), stack="dev", body=NEW)
    publish(forge_of(variables), stack="prod", body=composed("prod", "new"))
    assert server.comments == {1: (server.login, NEW), 2: (server.login, composed("prod", "new"))}


def test_what_stays_the_same_is_not_written_again(server: StandIn, forge: Forge) -> None:
    server.add(NEW)
    publish(forge, stack="dev", body=NEW)
    assert server.writes == []


def test_a_comment_on_a_later_page_is_found(server: StandIn, forge: Forge) -> None:
    for _ in range(230):
        server.add("talk", author="ada")
    server.add(OLD)
    publish(forge, stack="dev", body=NEW)
    assert server.comments[231] == (server.login, NEW)
    assert len(server.comments) == 231


def test_comments_of_others_and_quotations_are_left_alone(server: StandIn, forge: Forge) -> None:
    server.add(OLD, author="mallory")
    server.add(f"> {OLD}")
    publish(forge, stack="dev", body=NEW)
    assert server.bodies == [OLD, f"> {OLD}", NEW]


def test_a_workflow_that_may_not_ask_its_name_goes_by_the_one_of_workflows(
    server: StandIn, forge: Forge
) -> None:
    server.knows_the_token = False
    server.add(OLD)
    publish(forge, stack="dev", body=NEW)
    assert server.bodies == [NEW]


def test_of_two_jobs_that_race_the_older_comment_stays_with_the_later_text(
    server: StandIn, forge: Forge
) -> None:
    def other_job() -> None:
        server.before_create = lambda: None
        server.add(OLD)

    server.before_create = other_job
    publish(forge, stack="dev", body=NEW)
    assert server.comments == {1: (server.login, NEW)}
    assert server.last == 2


def test_a_create_whose_reply_is_lost_leaves_one_comment(
    server: StandIn, forge: Forge, pauses: list[float]
) -> None:
    server.refusals = [Refusal("POST", 502, does_it=True)]
    publish(forge, stack="dev", body=NEW)
    assert server.bodies == [NEW]
    assert pauses == [1.0]


def test_a_comment_that_goes_meanwhile_is_made_again(server: StandIn, forge: Forge) -> None:
    server.add(OLD)
    server.before_edit = server.comments.clear
    publish(forge, stack="dev", body=NEW)
    assert server.bodies == [NEW]


@pytest.mark.parametrize(
    ("refusal", "pause"),
    [
        (Refusal("POST", 429, {"Retry-After": "17"}), 17.0),
        (Refusal("POST", 403, {"Retry-After": "60"}), 60.0),
        (Refusal("POST", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1042"}), 42.0),
        (Refusal("POST", 429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "1030"}), 30.0),
        (Refusal("POST", 503, {}), 1.0),
    ],
)
def test_a_limit_is_waited_for_as_long_as_is_asked(
    server: StandIn, forge: Forge, pauses: list[float], refusal: Refusal, pause: float
) -> None:
    server.refusals = [refusal]
    publish(forge, stack="dev", body=NEW)
    assert pauses == [pause]
    assert server.bodies == [NEW]


def test_a_limit_that_lasts_too_long_is_told(server: StandIn, forge: Forge, pauses: list[float]) -> None:
    server.refusals = [Refusal("POST", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4600"})]
    with pytest.raises(RemoteFailure, match="wait 3600 s") as failure:
        publish(forge, stack="dev", body=NEW)
    assert failure.value.retry_is_safe
    assert pauses == []


def test_a_forge_that_stays_away_is_told_after_five_attempts(
    server: StandIn, forge: Forge, pauses: list[float]
) -> None:
    server.refusals = [Refusal("GET", 502)] * 5
    with pytest.raises(RemoteFailure, match="502"):
        publish(forge, stack="dev", body=NEW)
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_refusal_to_write_is_told_at_once_and_without_the_token(
    server: StandIn, forge: Forge, pauses: list[float]
) -> None:
    server.refusals = [Refusal("POST", 403, {"X-RateLimit-Remaining": "12"}, f"{TOKEN} may not")]
    with pytest.raises(NotAllowed, match="may not") as refusal:
        publish(forge, stack="dev", body=NEW)
    assert TOKEN not in str(refusal.value)
    assert pauses == []


def test_a_redirect_is_not_followed(server: StandIn, forge: Forge) -> None:
    server.refusals = [Refusal("GET", 307, {"Location": f"{server.url}/user"})]
    with pytest.raises(RemoteFailure, match="307"):
        publish(forge, stack="dev", body=NEW)
    assert len(server.calls) == 1


def test_a_token_that_is_refused_says_so(server: StandIn) -> None:
    with pytest.raises(Conflict, match="401"):
        publish(forge_of({**server.github(), "GITHUB_TOKEN": "other"}), stack="dev", body=NEW)


def test_a_comment_that_is_too_long_is_refused() -> None:
    left = COMMENT_CHARACTERS - len(composed("dev", ""))
    assert len(composed("dev", "x" * left)) == COMMENT_CHARACTERS
    with pytest.raises(InvalidInput, match=f"{COMMENT_CHARACTERS + 1} characters"):
        composed("dev", "x" * (left + 1))


def test_the_name_of_a_stack_does_not_end_the_mark() -> None:
    assert composed("--> <b>", "").count("-->") == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"GITHUB_API_URL": "http://forge.example"}, "must be an https URL"),
        ({"GITHUB_REF": "refs/heads/main"}, "--pull-request"),
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_REPOSITORY": "o/r/../x"}, "owner/name"),
        ({"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "x"}, "CI_MERGE_REQUEST_IID is no number"),
    ],
)
def test_an_environment_that_is_not_enough_says_what_is_missing(
    changed: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        forge_of({**StandIn(url="https://forge.example").github(), **changed})
