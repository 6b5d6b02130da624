"""An update that is interrupted or terminated at a call ends by itself and is taken up by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.engine.project import STACK, TIME_LIMIT_SECONDS, Running
from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo, eventually

PROGRAM = """
    import prism_iac
    import pulumi

    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider="ada@example.com", file="numbers.txt", description="three"
    )
    computation = prism_iac.Computation("sum", description="adds numbers", datasets=[numbers.id])
    after = pulumi.ResourceOptions(depends_on=[computation])
    prism_iac.ConfidentialVM("host", provider="external", opts=after)
"""


TELLS_ITS_NUMBER = """
    import os
    from pathlib import Path

    Path("program.pid").write_text(str(os.getpid()))
"""

# What our commands run the engine with, without the plan that they make before.
UPDATE = f"""
from prism_iac.cli._pulumi import run_pulumi

ended = run_pulumi("up", "--yes", "--skip-preview", stack="{STACK}", by_hand="", is_shown=True)
raise SystemExit(ended.returncode)
"""


def cut_off_at(repo: PlatformRepo, call: str, *signals: signal.Signals) -> None:
    """Signal an update whose call the backend has done, and let the call's reply come."""
    with Gate(repo.data) as gate:
        gate.hold_replies(call)
        running = repo.project.start("up")
        running.until(lambda: bool(gate.held))
        for number in signals:
            running.signal(number)
            if number is signal.SIGINT:
                running.until(lambda: "^C received" in running.text)
        gate.release()
        assert running.finish().exit_code != 0
    eventually(lambda: not repo.plugins())


@pytest.mark.fault(34)
def test_an_update_is_cut_off_at_a_create_and_taken_up(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    repo.start_backend()
    cut_off_at(repo, "POST .*/assets$", signal.SIGINT)
    cut_off_at(repo, "POST .*/computations$", signal.SIGINT, signal.SIGTERM)
    cut_off_at(repo, "POST .*/cvms/", signal.SIGTERM)
    project.up()
    assert (repo.assets(), repo.computations()) == (["numbers.txt"], ["sum"])
    assert repo.vm_records() == [project.state()["host"].id]
    assert project.preview().changes == {}


@pytest.mark.fault(34, 35)
def test_our_command_hands_the_interrupt_on_and_waits_until_state_is_written(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    repo.start_backend()
    said = project.folder / "said.txt"
    with Gate(repo.data) as gate, said.open("wb") as output:
        gate.hold_replies("POST .*/assets$")
        command = subprocess.Popen(
            [sys.executable, "-c", UPDATE],
            cwd=project.folder,
            env=project.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        Running(command, said, said, project.folder).until(lambda: bool(gate.held))
        command.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            command.wait(1)
        gate.release()
        assert command.wait(TIME_LIMIT_SECONDS) != 0
    # No lock is left, and nothing has to be found again.
    assert set(project.state()) == {"numbers"}
    assert project.up().changes == {"sum": "create", "host": "create"}


def kill_program_at(repo: PlatformRepo, call: str) -> None:
    """Kill the program of an update whose call the backend has done, and let the call's reply come."""
    with Gate(repo.data) as gate:
        gate.hold_replies(call)
        running = repo.project.start("up")
        running.until(lambda: bool(gate.held))
        os.kill(int((repo.project.folder / "program.pid").read_text()), signal.SIGKILL)
        gate.release()
        assert running.finish().exit_code != 0


@pytest.mark.fault(6)
def test_a_program_that_is_killed_ends_its_update_and_is_taken_up(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(TELLS_ITS_NUMBER + PROGRAM)
    repo.start_backend()
    kill_program_at(repo, "POST .*/assets$")
    kill_program_at(repo, "POST .*/computations$")
    project.up()
    assert (repo.assets(), repo.computations()) == (["numbers.txt"], ["sum"])
    assert repo.vm_records() == [project.state()["host"].id]
    assert project.preview().changes == {}
