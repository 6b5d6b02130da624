"""How many calls are under way at once, and that it changes nothing of what comes out."""

from __future__ import annotations

import pytest

from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo

AT_ONCE = 32


@pytest.mark.fault(13, 39)
def test_as_many_creates_are_under_way_as_the_engine_asks_for(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(f"""
        import prism_iac

        for number in range({AT_ONCE}):
            prism_iac.Computation(f"sum-{{number}}", description="adds numbers")
    """)
    repo.start_backend()
    with Gate(repo.data) as gate:
        # None of them is answered before all have come; the SDK alone serves four.
        gate.hold_calls("POST .*/computations$")
        running = project.start("up", "--parallel", str(AT_ONCE))
        running.until(lambda: len(gate.held) == AT_ONCE)
        # Another machine with the same state is told to wait.
        assert "is currently locked" in project.up(succeeds=False).text
        gate.release()
        assert running.finish().exit_code == 0
    assert len(repo.computations()) == AT_ONCE
    for parallel in ("1", "4", str(AT_ONCE)):
        assert project.refresh("--parallel", parallel).changes == {}
    assert project.preview().changes == {}
    project.destroy("--parallel", str(AT_ONCE))
    assert repo.computations() == []


def test_one_and_four_at_once_come_to_the_same(repo: PlatformRepo) -> None:
    project = repo.project
    project.program("""
        import prism_iac
        import pulumi

        config = pulumi.Config()
        for number in range(6):
            prism_iac.Computation(f"sum-{number}", description=config.get("word") or "adds numbers")
    """)
    project.up("--parallel", "1")
    project.set_config("word", "adds more")
    assert set(project.up("--parallel", "4").changes.values()) == {"update"}
    assert len(repo.computations()) == 6
    project.destroy("--parallel", "1")
    assert repo.computations() == []
