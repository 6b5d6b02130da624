"""The benchmark of imports in its quick form."""

from __future__ import annotations

from benchmarks import exchange


def test_memory_of_an_import_does_not_grow_with_the_table() -> None:
    beside, memory, per_row = exchange.measure(quick=True)
    assert beside.unit == memory.unit == "MiB"
    # A row of this table has 60 bytes; what is kept of it is a digest of its name.
    assert beside.median < 16.0
    assert memory.median < 200.0
    assert per_row.unit == "ms"
