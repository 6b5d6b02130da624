from __future__ import annotations

import io
import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.exchange import Definition, Layout, portable, read_rows, write_definitions
from prism_iac.model import Action
from tests.unit.exchange.drawn import KEY, definitions

LAYOUTS = [Layout.BUNDLE, Layout.FLAT, Layout.CSV]


def read(text: str) -> list[Definition]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "computations")
        path.write_bytes(text.encode())
        rows = list(read_rows(path))
    assert [str(finding) for row in rows for finding in (*row.errors, *row.warnings)] == []
    return [row.definition for row in rows if row.definition is not None]


def write(found: Sequence[Definition], layout: Layout) -> str:
    file = io.StringIO(newline="")
    assert write_definitions(found, layout, file, with_keys=True) == len(found)
    return file.getvalue()


@given(st.lists(definitions(), max_size=3))
def test_bundles_say_everything(found: list[Definition]) -> None:
    assert read(write(found, Layout.BUNDLE)) == found


@given(st.lists(definitions(), max_size=3), st.sampled_from(LAYOUTS))
def test_what_was_written_once_is_a_fixed_point(found: list[Definition], layout: Layout) -> None:
    canonical = write(found, layout)
    assert write(read(canonical), layout) == canonical


@given(st.lists(definitions(), max_size=3), st.sampled_from([Layout.FLAT, Layout.CSV]))
def test_flat_and_csv_keep_who_brings_what_and_who_reads_the_result(
    found: list[Definition], layout: Layout
) -> None:
    again = read(write(found, layout))
    assert [definition.agent for definition in again] == [definition.agent for definition in found]
    for before, after in zip(found, again, strict=True):
        assert after.users_with(Action.RESULT_CONSUMER) == before.users_with(Action.RESULT_CONSUMER)
        assert {(asset.kind, asset.user, asset.checksum) for asset in after.linked} == {
            (asset.kind, asset.user, asset.checksum) for asset in before.linked if asset.checksum
        }


@given(st.lists(definitions(), max_size=2), st.sampled_from([Layout.FLAT, Layout.CSV]))
def test_what_one_layout_says_another_says_too(found: list[Definition], layout: Layout) -> None:
    said = read(write(found, layout))
    by_bundle = read(write(said, Layout.BUNDLE))
    assert [portable(definition) for definition in by_bundle] == [portable(definition) for definition in said]


@given(st.lists(definitions(), min_size=1, max_size=2), st.randoms(use_true_random=False))
def test_another_spelling_of_a_bundle_is_the_same(found: list[Definition], chance: random.Random) -> None:
    canonical = write(found, Layout.BUNDLE)
    respelled = json.dumps(_respelled(json.loads(canonical), chance))
    assert write(read(respelled), Layout.BUNDLE) == canonical


def _respelled(value: Any, chance: random.Random) -> Any:
    """The same document with keys in any case and order, sets in any order, PEM and digests in any spelling."""
    if isinstance(value, dict):
        items = [
            (chance.choice([key.upper(), key.lower(), key]), _respelled(item, chance))
            for key, item in value.items()
        ]
        chance.shuffle(items)
        return {key: item.upper() if item and key.lower() == "checksum" else item for key, item in items}
    if isinstance(value, list):
        elements = [_respelled(item, chance) for item in value]
        # The array of computations keeps its order.
        if '"computation":' not in json.dumps(elements).lower():
            chance.shuffle(elements)
        return elements
    if isinstance(value, str) and value.startswith("-----BEGIN"):
        return value.replace("\n", "\r\n")
    return chance.choice([None, value]) if value == "" else value


def test_an_agents_private_key_is_written_only_where_it_is_asked_for() -> None:
    definition = read(
        json.dumps(
            {"name": "a", "description": "b", "agent_config": {"cert_file": "c.pem", "server_key": KEY}}
        )
    )
    for layout in LAYOUTS:
        file = io.StringIO(newline="")
        write_definitions(definition, layout, file)
        assert "PRIVATE" not in file.getvalue()
        assert "PRIVATE" in write(definition, layout)


def test_the_documented_samples_are_read() -> None:
    user = "7b1f3d60-23aa-4d83-8a36-5f1f4c0e2d90"
    digest = "5f0b4f5c0a7e1e0f7f3f3f4a2a0a6d2c9a1b8c7d6e5f4a3b2c1d0e9f8a7b6c5d"
    agent = {
        "log_level": "info",
        "cert_file": "",
        "server_key": "",
        "server_ca_file": "",
        "client_ca_file": "",
    }
    flat = {
        "id": "b0f1c0de-4a61-4c5d-9a40-9d1d5d0c7a01", "name": "stroke-risk-train", "description": "Train",
        "owner": user, "start_time": "0001-01-01T00:00:00Z", "datasets": [{"provider": user, "hash": digest}],
        "algorithm": {"provider": user, "hash": digest}, "result_consumers": [user],
        "agent_config": {**agent, "attested_tls": False}, "backend_id": "5c2f2b7e-0a34-4d0b-8a1c-6f3f7d9b1e10",
    }  # fmt: skip
    (definition,) = read(json.dumps(flat))
    assert [(role.name, role.members) for role in definition.roles] == [
        ("algo_provider+dataset_provider+result_consumer", (user,))
    ]
    assert json.loads(write([definition], Layout.FLAT)) == flat


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_written_as_nothing(layout: Layout) -> None:
    assert read(write([], layout)) == []
