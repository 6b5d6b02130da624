"""The benchmark of launch measurements in its quick form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main

# Other tests run beside it; what misses a target by so much is wrong on any machine.
_LOOSE = 2.0


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    results = tmp_path_factory.mktemp("results")
    main(["--quick", "--results", str(results), "measurement"])
    (written,) = results.iterdir()
    return {figure["name"]: figure for figure in json.loads(written.read_bytes())["figures"]}


def test_every_figure_is_there_for_each_firmware(figures: Mapping[str, Mapping[str, Any]]) -> None:
    has_debian = (Path(__file__).parents[2] / ".firmware").exists()
    names = ("dense firmware", *(("Debian's firmware",) if has_debian else ()))
    assert figures.keys() == {
        figure
        for name in names
        for figure in (
            f"measure {name} from scratch",
            f"measure {name}, held in memory",
            f"measure {name} with 255 vCPUs beside one",
            f"measure {name} for TDX beside SEV-SNP",
            f"prism-iac measure {name}, the whole process",
        )
    }


def test_no_target_is_missed_by_far(figures: Mapping[str, Mapping[str, Any]]) -> None:
    missed = {
        name: figure["median"]
        for name, figure in figures.items()
        if figure["at_most"] is not None and figure["median"] > _LOOSE * figure["at_most"]
    }
    assert not missed
