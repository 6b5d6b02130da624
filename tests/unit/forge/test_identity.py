"""A job that is not the trusted one gets nothing, whatever its ID token says besides."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from pydantic import ValidationError

from prism_iac.errors import InvalidInput, RemoteFailure, VerificationFailure
from prism_iac.forge import Trust, fetch_identity, fetch_keys, verify_identity
from tests.unit.forge.stand_in import StandIn, standing_in

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECONDS: Final = int(NOW.timestamp())
AUDIENCE: Final = "urn:pulumi:org:research"
WORKFLOW: Final = "owner/prism_iac/.github/workflows/stacks.yml@" + "5" * 40
CLAIMS: Final = {"repository": "research/platform", "job_workflow_ref": WORKFLOW, "environment": "prod"}
TOKEN: Final = {
    **CLAIMS,
    "sub": "repo:research/platform:environment:prod",
    "ref": "refs/heads/main",
    "iat": SECONDS,
    "nbf": SECONDS - 5,
    "exp": SECONDS + 300,
}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture
def server(key: RSAPrivateKey) -> Iterator[StandIn]:
    with standing_in() as server:
        server.key = key
        server.claims = dict(TOKEN)
        yield server


def trust_of(server: StandIn, **claims: str) -> Trust:
    return Trust(issuer=server.url, audience=AUDIENCE, claims={**CLAIMS, **claims})


def verify(server: StandIn, token: str, now: datetime = NOW) -> dict[str, Any]:
    return dict(verify_identity(token, trust_of(server), fetch_keys(server.url), now))


def test_the_token_that_a_job_asks_for_is_trusted(server: StandIn) -> None:
    token = fetch_identity(server.github(), AUDIENCE)
    assert verify(server, token)["sub"] == TOKEN["sub"]


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        pytest.param("repository", "mallory/platform", id="a fork"),
        pytest.param("job_workflow_ref", WORKFLOW.replace("stacks.yml", "other.yml"), id="another workflow"),
        pytest.param("job_workflow_ref", WORKFLOW.replace("5" * 40, "6" * 40), id="another commit of it"),
        pytest.param("job_workflow_ref", WORKFLOW + "0", id="a name that only begins like it"),
        pytest.param("environment", "dev", id="another environment"),
        pytest.param("environment", None, id="a job in no environment, as of a branch"),
        pytest.param("environment", ["prod"], id="another type"),
    ],
)
def test_the_token_of_another_job_is_refused_and_the_claim_named(
    server: StandIn, claim: str, said: object
) -> None:
    with pytest.raises(VerificationFailure, match="the job is not trusted") as refused:
        verify(server, server.token(AUDIENCE, **{claim: said}))
    assert [item.claim for item in refused.value.failed] == [claim]


def test_the_token_of_another_branch_is_refused(server: StandIn) -> None:
    trust = trust_of(server, ref="refs/heads/main")
    token = server.token(AUDIENCE, ref="refs/pull/7/merge")
    with pytest.raises(VerificationFailure, match="ref is refs/pull/7/merge"):
        verify_identity(token, trust, fetch_keys(server.url), NOW)


@pytest.mark.parametrize(
    "said",
    [
        {"iss": "https://forge.example"},
        {"aud": "urn:pulumi:org:other"},
        {"exp": None},
        {"exp": float("inf")},
        {"iat": "yesterday"},
    ],
)
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(
    server: StandIn, said: dict[str, Any]
) -> None:
    with pytest.raises(VerificationFailure, match="is not one of"):
        verify(server, server.token(AUDIENCE, **said))


@pytest.mark.parametrize("seconds", [-31, 300, 301])
def test_a_token_is_valid_in_its_time_alone(server: StandIn, seconds: int) -> None:
    token = server.token(AUDIENCE)
    assert verify(server, token, NOW + timedelta(seconds=-30))
    assert verify(server, token, NOW + timedelta(seconds=299))
    with pytest.raises(VerificationFailure, match="not valid at this time"):
        verify(server, token, NOW + timedelta(seconds=seconds))


def test_a_token_that_lives_for_long_is_refused(server: StandIn) -> None:
    with pytest.raises(VerificationFailure, match="not valid at this time"):
        verify(server, server.token(AUDIENCE, exp=SECONDS + 3601))


def test_a_token_that_the_issuer_did_not_sign_is_refused(server: StandIn, key: RSAPrivateKey) -> None:
    said = {**TOKEN, "iss": server.url, "aud": AUDIENCE}
    foreign = jwt.encode(said, generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "1"})
    unknown = jwt.encode(said, key, algorithm="RS256", headers={"kid": "2"})
    unsigned = jwt.encode(said, "", algorithm="none", headers={"kid": "1"})
    # The public key taken for a secret that both sides know.
    shared = jwt.encode(
        said, key.public_key().public_numbers().n.to_bytes(256), "HS256", headers={"kid": "1"}
    )
    nested = f"{b64encode(b'[' * 30_000).decode()}.e30.e30"
    for token in (foreign, unknown, unsigned, shared, nested, "", "a.b.c", "\N{BULLET}.\udcff.c"):
        with pytest.raises(VerificationFailure, match="is not one of"):
            verify(server, token)


def test_keys_of_another_issuer_are_not_taken(server: StandIn) -> None:
    server.issuer = "https://forge.example"
    with pytest.raises(RemoteFailure, match="another issuer"):
        fetch_keys(server.url)
    server.issuer, server.keys_at = "", "https://mallory.example/keys"
    with pytest.raises(RemoteFailure, match="another issuer"):
        fetch_keys(server.url)
    with pytest.raises(InvalidInput, match="https"):
        fetch_keys("http://forge.example")


def test_a_job_without_the_right_to_ask_is_told_so() -> None:
    with pytest.raises(InvalidInput, match="id-token: write"):
        fetch_identity({}, AUDIENCE)


@pytest.mark.parametrize("left_out", CLAIMS)
def test_trust_that_leaves_out_whose_which_or_where_is_none(left_out: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != left_out}
    with pytest.raises(ValidationError, match="say one of"):
        Trust(issuer="https://forge.example", audience=AUDIENCE, claims=claims)


@pytest.mark.parametrize("revision", ["", "@main", "@v1", "@refs/heads/*", "@5555555"])
def test_trust_in_a_workflow_names_its_revision(revision: str) -> None:
    claims = {**CLAIMS, "job_workflow_ref": WORKFLOW.partition("@")[0] + revision}
    with pytest.raises(ValidationError, match="full commit"):
        Trust(issuer="https://forge.example", audience=AUDIENCE, claims=claims)
