"""How calls are noted, where a step is cut off, and what a table says of it."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from prism_iac.testing.faults import (
    Cut,
    CutOff,
    KillPoint,
    Moment,
    Step,
    Tape,
    Victim,
    die_before_change,
    plan,
    rows_of,
)

COMPUTATION = "7f1c0000-0000-4000-8000-000000000000"
STEP = Step("create")


def tape_of(*calls: str) -> Tape:
    tape = Tape()
    for call in calls:
        with tape.passing(call):
            pass
    return tape


def test_ids_are_no_part_of_a_call_and_a_wait_is_one_call() -> None:
    path = f"/computations/{COMPUTATION}/runs"
    tape = tape_of(f"GET {path}", f"GET {path}", f"POST {path}", f"POST {path}", f"GET {path}")
    get, post = "GET /computations/*/runs", "POST /computations/*/runs"
    assert tape.calls == [get, post, post, get]
    assert [(point.call, point.turn) for point in tape.points()[::2]] == [
        (get, 1),
        (post, 1),
        (post, 2),
        (get, 2),
    ]


@pytest.mark.parametrize(("moment", "is_done"), [(Moment.BEFORE, False), (Moment.AFTER, True)])
def test_a_call_is_cut_off_once_on_its_side_and_others_pass(moment: Moment, *, is_done: bool) -> None:
    tape = Tape()
    killed: list[str] = []
    done: list[str] = []
    tape.begin(KillPoint("POST /b", 2, moment), lambda: killed.append("engine"))
    for call in ("POST /a", "POST /b", "POST /b", "POST /b"):
        try:
            with tape.passing(call):
                done.append(call)
        except CutOff:
            done.append("cut off")
    assert killed == ["engine"]
    assert tape.struck
    assert done == ["POST /a", "POST /b", *(["POST /b"] if is_done else []), "cut off", "POST /b"]


def test_a_step_is_cut_off_wherever_another_world_is_left_behind() -> None:
    state = "PUT .pulumi/stacks/p/s.json"
    points = {STEP.name: tape_of(state, "GET /a", "POST /b", state).points()}
    told = [f"{victim} {point}" for ((point, victim),) in lives_of(points)]
    assert told == [
        f"engine before {state}",
        f"engine after {state}",
        "engine after POST /b",
        f"engine after {state} (2)",
        "provider before GET /a",
        "provider after POST /b",
        "backend before GET /a",
        "backend before POST /b",
        "backend after POST /b",
    ]


def test_every_point_is_before_and_after_every_call() -> None:
    points = {STEP.name: tape_of("PUT .pulumi/stacks/p/s.json", "GET /a").points()}
    assert len(lives_of(points, every_point=True)) == 4 + 2 + 2


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    points = {STEP.name: tape_of(*(f"POST /{letter}" for letter in "abcdef")).points()}
    first, again, other = (plan([STEP], points, sample=3, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 3


def test_a_row_counts_what_was_survived() -> None:
    point = KillPoint("POST /a", 1, Moment.AFTER)
    cuts = [Cut("create", point, victim, 2.0, ()) for victim in (Victim.ENGINE, Victim.BACKEND)]
    cuts.append(Cut("create", point, Victim.ENGINE, 1.0, ("two of them",)))
    (row,) = rows_of("life", cuts)
    assert (row.points, row.kills[Victim.ENGINE], row.kills[Victim.PROVIDER]) == (1, 2, 0)
    assert (row.survived, row.seconds, row.has_survived) == (2, 5.0, False)


@pytest.mark.parametrize(("number", "left"), [(1, set()), (2, {"a"}), (3, {"a", "b"}), (4, {"b"})])
def test_a_process_ends_before_a_change_of_a_file(tmp_path: Path, number: int, left: set[str]) -> None:
    process = multiprocessing.get_context("spawn").Process(target=change_files, args=(tmp_path, number))
    process.start()
    process.join()
    assert process.exitcode == (0 if number > 3 else -signal.SIGKILL)
    assert {path.name for path in tmp_path.iterdir()} == left


def change_files(folder: Path, number: int) -> None:
    die_before_change(folder, number)
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    (folder / "a").unlink()


def lives_of(
    points: dict[str, list[KillPoint]], *, every_point: bool = False
) -> list[tuple[tuple[KillPoint, Victim]]]:
    found = plan([STEP], points, every_point=every_point)
    return [(cut,) for (cut,) in found if cut is not None]
