"""Definitions of every kind, for property tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from prism_iac.exchange import AssetDefinition, Definition, Origin, RoleDefinition
from prism_iac.model import Action, AlgorithmRuntime, AssetKind, LogLevel, RemoteSource
from prism_iac.prism import AgentConfigRecord

PEM = "-----BEGIN CERTIFICATE-----\nTWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms=\n-----END CERTIFICATE-----\n"
KEY = PEM.replace("CERTIFICATE", "PRIVATE KEY")

USERS = (*(f"0000000{digit}-23aa-4d83-8a36-5f1f4c0e2d90" for digit in range(5)), "ada@example.com")
# What is text, with everything that layouts give a meaning to.
texts = (
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\n\u2028\x85[]{}='), min_size=1
    )
    .map(str.strip)
    .filter(bool)
)
moments = st.none() | st.integers(1, 1 << 48).map(
    lambda number: datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=number * 1000 + number % 999)
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)

_SECURED: list[dict[str, Any]] = [
    {},
    {"attested_tls": True},
    {"cert_file": PEM, "server_key": KEY},
    {"cert_file": PEM, "server_key": KEY, "server_ca_file": PEM, "client_ca_file": PEM},
    {"client_ca_file": PEM, "attested_tls": True},
    {"cert_file": "cert.pem", "server_key": "key.pem"},
]
agents = st.sampled_from(_SECURED).flatmap(
    lambda files: st.sampled_from([None, *LogLevel]).map(
        lambda level: AgentConfigRecord(log_level=level, **files)
    )
)


_KEYS: list[dict[str, Any]] = [
    {},
    {"encrypted": True, "kbs_url": "https://kbs.example.com", "kbs_resource_path": "default/key/iris"},
]


def sources(kind: AssetKind) -> st.SearchStrategy[RemoteSource]:
    """Where an asset of a kind may be fetched."""
    urls = st.sampled_from(["https://data.example.com/a b.csv?v=1", "s3://lab/iris#1.csv", "gs://lab/iris"])
    runs = {"runtime": st.sampled_from(list(AlgorithmRuntime)), "arguments": st.tuples(texts)}
    how = runs if kind is AssetKind.ALGORITHM else {"decompress": st.booleans()}
    return st.builds(
        lambda url, key, **more: RemoteSource(url=url, **key, **more), urls, st.sampled_from(_KEYS), **how
    )


@st.composite
def definitions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Definition:
    """A definition as a workspace may have it: one role per user, one algorithm."""
    users = list(draw(st.permutations(USERS)))
    roles = []
    for name in draw(st.lists(texts, max_size=4, unique=True)):
        held = draw(st.integers(0, 2))
        members, users = users[:held], users[held:]
        actions = draw(st.sets(st.sampled_from(list(Action))))
        roles.append(RoleDefinition(name, tuple(sorted(actions)), tuple(sorted(members))))
    assets, has_algorithm = [], False
    for asset_id in draw(st.lists(st.uuids().map(str), max_size=3, unique=True)):
        kind = draw(st.sampled_from(list(AssetKind)))
        is_linked = draw(st.booleans()) and not (kind is AssetKind.ALGORITHM and has_algorithm)
        sample = draw(st.binary(max_size=20))
        has_algorithm |= is_linked and kind is AssetKind.ALGORITHM
        source = draw(st.none() | sources(kind))
        assets.append(
            AssetDefinition(
                asset_id,
                kind=kind,
                user=draw(st.sampled_from(USERS)),
                checksum=draw(digests if sample else st.just("") | digests),
                file_name=draw(texts if source else st.just("") | texts),
                description=draw(st.just("") | texts),
                sample=sample,
                created_at=draw(moments),
                source=source,
                linked=is_linked,
            )
        )
    return Definition.of(
        name=draw(texts),
        description=draw(texts),
        agent=draw(agents),
        roles=roles,
        assets=assets,
        origin=Origin(start_time=draw(moments), end_time=draw(moments), created_at=draw(moments)),
    )
