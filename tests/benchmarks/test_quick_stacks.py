"""The benchmark of stack files in its quick form."""

from __future__ import annotations

from benchmarks import stacks

# Other tests run beside it; what is over this is wrong on any machine.
LOOSE_SECONDS = 1.0


def test_every_way_to_write_many_computations_is_measured_and_none_is_slow() -> None:
    figures = {figure.name: figure for figure in stacks.measure(quick=True)}
    assert [name.removeprefix("500 computations ") for name in figures] == [
        "in one file",
        "in 100 files",
        "from a template, each an entry",
        "from a template, by for_each",
        "with a mistake in each",
        "beside pydantic alone",
        "beside jsonschema alone",
    ]
    assert all(figure.median < LOOSE_SECONDS for figure in figures.values() if figure.unit == "s")
    assert figures["500 computations beside jsonschema alone"].median < 1.0
