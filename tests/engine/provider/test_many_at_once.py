"""How many creates are under way at once."""

from __future__ import annotations

from typing import Final

from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo

_AT_ONCE: Final = 12


def test_as_many_creates_are_under_way_as_the_engine_asks_for(repo: PlatformRepo) -> None:
    repo.project.program(f"""
        import prism_iac

        for number in range({_AT_ONCE}):
            prism_iac.Computation(f"sum-{{number}}", description="adds numbers")
    """)
    repo.start_backend()
    with Gate(repo.data) as gate:
        # None of them is answered before all have come; the SDK alone serves four.
        gate.hold_calls("POST .*/computations$")
        running = repo.project.start("up", "--parallel", str(_AT_ONCE))
        running.until(lambda: len(gate.held) == _AT_ONCE)
        gate.release()
        assert running.finish().exit_code == 0
    assert len(repo.computations()) == _AT_ONCE
