"""The benchmarks themselves, in their quick form: every figure is there, and the backend is not asked too much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.__main__ import main

# Loaded machines stretch a time at random; what is this far off is wrong on any.
_FAR_OFF = 5.0


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    results = tmp_path_factory.mktemp("results")
    main(["--quick", "--results", str(results), "imports", "start", "rest", "engine"])
    (written,) = results.iterdir()
    document = json.loads(written.read_bytes())
    assert document["quick"]
    return {figure["name"]: figure for figure in document["figures"]}


def test_every_figure_is_written_with_its_spread(figures: Mapping[str, Mapping[str, Any]]) -> None:
    assert figures.keys() == {
        "import prism_iac",
        "import prism_iac and use its classes",
        "backend: first start to ready",
        "backend: later start to ready",
        "backend: CPU time of a start",
        "backend: later start beside a bare FastAPI route",
        *(
            f"REST, {name}: {what}"
            for name in ("bare", "one computation", "a page of 100")
            for what in ("requests per second", "p99")
        ),
        *(
            f"REST, {name}: time per request beside the bare route"
            for name in ("one computation", "a page of 100")
        ),
        *(
            name
            for size in (10, 50)
            for name in (
                f"up of {size}",
                f"preview of {size} without a change",
                f"refresh of {size} without a change",
                f"backend calls of a preview of {size}",
                f"backend calls of a refresh of {size}",
            )
        ),
    }
    for figure in figures.values():
        assert figure["min"] <= figure["median"] <= figure["max"]
        assert figure["rounds"] >= 1


@pytest.mark.parametrize("size", [10, 50])
def test_a_preview_without_a_change_calls_no_backend(
    figures: Mapping[str, Mapping[str, Any]], size: int
) -> None:
    assert figures[f"backend calls of a preview of {size}"]["max"] == 0


@pytest.mark.parametrize("size", [10, 50])
def test_a_refresh_reads_lists_and_not_single_records(
    figures: Mapping[str, Mapping[str, Any]], size: int
) -> None:
    # Login, workspace, one computation with its roles, and a page of each list.
    assert figures[f"backend calls of a refresh of {size}"]["max"] == 6


def test_no_ratio_is_far_off(figures: Mapping[str, Mapping[str, Any]]) -> None:
    judged = [
        figure for figure in figures.values() if figure["unit"] == "ratio" and figure["at_most"] is not None
    ]
    assert len(judged) == 6
    assert [figure["name"] for figure in judged if figure["median"] > _FAR_OFF] == []
