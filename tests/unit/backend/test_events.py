"""Decisions D55 and D56: the events and logs of runs."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from prism_iac.backend.store import events, runs
from tests.unit.backend.support import START, Person, Prism, Workspace


def tell(prism: Prism, run_id: str, *statuses: tuple[str, str]) -> None:
    """Events and logs, a minute apart from the start on."""
    with prism.database.writing() as session:
        run = runs.find(session, run_id)
        assert run is not None
        for number, (event_type, status) in enumerate(statuses):
            at = START + timedelta(minutes=number)
            events.add_event(
                session,
                run,
                event_id=f"{run_id}-{number}",
                event_type=event_type,
                status=status,
                originator="agent",
                details=json.dumps({"number": number}).encode(),
                timestamp=at,
            )
            level = "error" if status == "Failed" else "info"
            events.add_log(session, run, level=level, message=f"100% of {event_type}_{number}", timestamp=at)


def test_d55_events_are_told_in_the_agents_words_newest_first(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    computation, cvm = lab.runnable(), lab.ready_cvm(prism)
    run = lab.run(computation, cvm)
    path = f"{lab.computations}/{computation}"
    assert ada.get(f"{path}/status").status_code == 404
    tell(prism, run, ("ReceivingAlgorithm", "InProgress"), ("Running", "Starting"))
    latest = ada.ok("GET", f"{path}/status")
    assert ada.ok("GET", f"{path}/events")["events"][0] == latest
    assert latest == {
        "id": f"{run}-1",
        "event_type": "Running",
        "status": "Starting",
        "details": base64.b64encode(b'{"number": 1}').decode(),
        "run_id": run,
        "cvm_id": cvm,
        "originator": "agent",
        "timestamp": "2026-01-12T09:31:00Z",
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [2, 1, 0]),
        ({"status": "InProgress"}, [1, 0]),
        ({"from": "2026-01-12T09:31:00Z"}, [2, 1]),
        ({"to": "2026-01-12T10:31:00+01:00"}, [1, 0]),
        ({"from": "2026-01-12T09:31:00", "to": "2026-01-12T09:31:00"}, [1]),
        ({"run_id": "none"}, []),
        ({"limit": 1, "offset": 1}, [1]),
        ({"colour": "green"}, [2, 1, 0]),
    ],
)
def test_d56_events_are_narrowed(
    prism: Prism, ada: Person, lab: Workspace, query: dict[str, Any], numbers: list[int]
) -> None:
    computation = lab.runnable()
    run = lab.run(computation, lab.ready_cvm(prism))
    tell(
        prism,
        run,
        ("ReceivingAlgorithm", "InProgress"),
        ("ReceivingData", "InProgress"),
        ("Failed", "Failed"),
    )
    page = ada.ok("GET", f"{lab.computations}/{computation}/events", params=query)
    assert [int(event["id"].rpartition("-")[2]) for event in page["events"]] == numbers


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"level": "ERROR"}, 1),
        ({"level": "info"}, 2),
        ({"message": "100% OF R"}, 2),
        ({"message": "_1"}, 1),
        ({"message": "%"}, 3),
        ({"from": "2026-01-12T09:31:00Z", "level": "info"}, 1),
    ],
)
def test_d56_logs_are_narrowed(
    prism: Prism, ada: Person, lab: Workspace, query: dict[str, str], count: int
) -> None:
    computation = lab.runnable()
    run = lab.run(computation, lab.ready_cvm(prism))
    tell(prism, run, ("ReceivingAlgorithm", "InProgress"), ("Running", "InProgress"), ("Failed", "Failed"))
    page = ada.ok("GET", f"{lab.computations}/{computation}/logs", params=query)
    assert page["total"] == len(page["logs"]) == count
    assert {log["run_id"] for log in page["logs"]} == {run}


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_moment_that_no_calendar_knows_is_malformed(ada: Person, lab: Workspace, moment: str) -> None:
    path = f"{lab.computations}/{lab.computation()}/events"
    assert ada.get(path, params={"from": moment}).status_code == 400
