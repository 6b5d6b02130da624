"""The soak in its short form: a backend holds what it acknowledged, and one that does not is found out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from prism_iac.backend.store import Database, new_id
from prism_iac.backend.store.assets import Asset, AssetLink
from prism_iac.backend.store.base import insert
from prism_iac.backend.store.computations import Computation
from tests.soak.soak import Plan, soak, to_json
from tests.soak.watch import Sample, usage_of
from tests.unit.backend.fixtures import postgres_url
from tests.unit.backend.postgres import make_database

__all__ = ["postgres_url"]

SHORT = Plan("short", clients=16, seconds=4.0, growth_share=0.3, sample_seconds=0.2)
"""Too short for a word on memory: pools and caches are still filling."""
VISIBLE = tuple(column.name for column in Asset.__table__.columns if column.name not in ("id", "sample"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else make_database(request.getfixturevalue("postgres_url"))


def test_a_backend_holds_what_it_acknowledged(tmp_path: Path, database_url: str) -> None:
    outcome = soak(tmp_path, SHORT, database_url=database_url)
    assert outcome.findings == []
    assert outcome.verified > SHORT.clients
    assert to_json(outcome)["milliseconds"]["update computation"]["p99"] > 0


def test_a_write_that_was_lost_undone_or_done_twice_is_found(tmp_path: Path) -> None:
    spoiled: dict[str, str] = {}

    def spoil(database: Database) -> None:
        with database.writing() as session:
            undone = session.scalars(select(Computation)).first()
            assert undone is not None
            undone.description, spoiled["undone"] = "an earlier version", undone.id
            lost = session.scalars(select(Asset).where(Asset.description.startswith("a file"))).first()
            assert lost is not None
            twice = Asset(**{name: getattr(lost, name) for name in VISIBLE}, id=new_id())
            spoiled["lost"], spoiled["twice"] = lost.id, twice.id
            insert(session, twice)
            session.execute(delete(AssetLink).where(AssetLink.asset_id == lost.id))
            session.execute(delete(Asset).where(Asset.id == lost.id))

    difference = soak(tmp_path, replace(SHORT, clients=6, seconds=2.0, sabotage=spoil)).difference
    assert [thing.id for thing in difference.changed] == [spoiled["undone"]]
    assert [thing.id for thing in difference.lost] == [spoiled["lost"]]
    assert [thing.id for thing in difference.surplus] == [spoiled["twice"]]


def samples(memory: float, grows_by: float) -> list[Sample]:
    """A minute, with a warm-up to twice the size and a peak in the middle."""
    return [
        Sample(
            at=at,
            memory=memory * min(1, at / 10) + grows_by * max(0, at - 15) / 45 + (memory if at == 30 else 0),
            files=20 + (at > 40) * 9,
            threads=4,
            connections=2,
        )
        for at in range(61)
    ]


@pytest.mark.parametrize("grows_by", [0.0, 6.0, 20.0])
def test_growth_is_told_apart_from_a_warm_up_and_a_peak(grows_by: float) -> None:
    usage = usage_of(samples(100.0, grows_by))
    assert usage.growth == pytest.approx(grows_by, abs=0.5)
    assert usage.files_more == 9
