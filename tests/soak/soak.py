"""A soak of one backend: users work for a while, and what it holds is compared with what it acknowledged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prism_iac.backend import Instance, start, stop
from prism_iac.backend.store import Database
from tests.soak.client import Client, Record
from tests.soak.journal import Journal, expected
from tests.soak.operator import Operator
from tests.soak.verify import Difference, compare, kept
from tests.soak.watch import Sample, Usage, usage_of, watch
from tests.soak.worker import Worker

OF_A_WORKSPACE = 8
SHARE_WITH_A_VM = 16
LARGEST_POOL = 25
"""Connections of the pool, and the one that hears other replicas."""


@dataclass(frozen=True)
class Plan:
    """How a backend is soaked.

    Attributes:
        seconds: How long clients work.
        growth_share: By how much memory may grow after the warm-up, as a share of it.
        files_more: How many more files may be open after the warm-up than before its end.
        sabotage: Spoils the database behind the backend's back, once all clients have ended.
    """

    database: str
    clients: int
    seconds: float
    growth_share: float
    files_more: int = 8
    sample_seconds: float = 1.0
    sabotage: Callable[[Database], None] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    plan: Plan
    seconds: float
    calls: int
    writes: int
    runs: int
    verified: int
    errors: list[str]
    difference: Difference
    usage: Usage
    milliseconds: dict[str, dict[str, float]]

    @property
    def findings(self) -> list[str]:
        """What is wrong; nothing where the backend held."""
        usage, plan = self.usage, self.plan
        told = [f"error: {error}" for error in self.errors[:10]]
        told += [f"lost: {thing.kind} {thing.id}" for thing in self.difference.lost]
        told += [
            f"not acknowledged, or there twice: {thing.kind} {thing.id}" for thing in self.difference.surplus
        ]
        told += [f"not as acknowledged: {thing.kind} {thing.id}" for thing in self.difference.changed]
        if usage.growth_share > plan.growth_share:
            told.append(
                f"memory grew by {usage.growth:.1f} MiB, {usage.growth_share:.1%} of {usage.memory:.0f} MiB"
            )
        if usage.files_more > plan.files_more:
            told.append(f"{usage.files_more} more files are open than during the warm-up")
        if usage.connections > LARGEST_POOL:
            told.append(f"{usage.connections} connections to the database")
        if self.runs == 0 or self.writes == 0:
            told.append("nothing was done")
        return told


def soak(folder: Path, plan: Plan, *, database_url: str = "") -> Outcome:
    """Soak a backend in a folder, which is started and stopped."""
    data = folder / "backend"
    instance = start(data, database_url=database_url)
    try:
        return asyncio.run(_soak(folder, instance, plan, database_url))
    finally:
        stop(data)


async def _soak(folder: Path, instance: Instance, plan: Plan, database_url: str) -> Outcome:
    record, journal = Record(), Journal(folder / "journal.jsonl")
    root = Client(instance.rest_url, record)
    root.token = (folder / "backend" / "admin.token").read_text().strip()
    workers = [
        Worker(number, Client(instance.rest_url, record), record, journal, f"user-{number}")
        for number in range(plan.clients)
    ]
    samples: list[Sample] = []
    database = Database(database_url) if database_url else Database.in_folder(folder / "backend")
    try:
        workspaces = await _move_in(workers)
        watching = asyncio.create_task(
            watch(instance.pid, _connections(database, instance.pid), plan.sample_seconds, samples)
        )
        record.seconds.clear()
        began = time.monotonic()
        operators = await _work(workers, instance, until=began + plan.seconds)
        seconds = time.monotonic() - began
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        quantiles = {operation: _quantiles(found) for operation, found in sorted(record.seconds.items())}
        calls = sum(map(len, record.seconds.values()))
        if plan.sabotage is not None:
            plan.sabotage(database)
        wanted = expected(journal.path)
        return Outcome(
            plan=plan,
            seconds=seconds,
            calls=calls,
            writes=journal.writes,
            runs=sum(operator.runs for operator in operators),
            verified=len(wanted),
            errors=record.errors,
            difference=compare(wanted, await kept(root, workspaces)),
            usage=usage_of(samples),
            milliseconds=quantiles,
        )
    finally:
        database.close()
        journal.close()
        for client in (root, *(worker.client for worker in workers)):
            await client.close()


async def _move_in(workers: list[Worker]) -> list[str]:
    """Register everybody, and give every few of them a workspace; its first one owns it."""
    await asyncio.gather(*(worker.register() for worker in workers))
    workspaces = []
    for first in range(0, len(workers), OF_A_WORKSPACE):
        owner, *others = workers[first : first + OF_A_WORKSPACE]
        made = await owner.client.call(
            "create workspace", "POST", "/auth/domains", {"name": owner.name}, status=201
        )
        workspaces.append(made["id"])
        owner.workspace = made["id"]
        for other in others:
            other.workspace = made["id"]
        if others:
            body = {
                "role_name": "colleagues",
                "optional_actions": ["create_computation"],
                "optional_members": [other.user for other in others],
            }
            path = f"/auth/domains/{made['id']}/roles"
            await owner.client.call("create workspace role", "POST", path, body, status=201)
    return workspaces


async def _work(workers: list[Worker], instance: Instance, *, until: float) -> list[Operator]:
    """Let everybody work; one of many, who owns a workspace, has a VM instead."""
    operators = [Operator(worker, instance.control_address) for worker in workers[::SHARE_WITH_A_VM]]
    others = [worker for worker in workers if worker.number % SHARE_WITH_A_VM]
    await asyncio.gather(*(it.work(until) for it in operators), *(it.work(until) for it in others))
    return operators


def _connections(database: Database, pid: int) -> Callable[[], int]:
    """Tells how many connections to its database a backend holds; this process has one of its own."""
    if database.is_sqlite:
        name = database.engine.url.database or ""
        return lambda: sum(_leads_to(file, name) for file in Path(f"/proc/{pid}/fd").iterdir())

    def count() -> int:
        with database.engine.connect() as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            found: int = connection.exec_driver_sql(query).scalar_one()
            return found

    return count


def _leads_to(descriptor: Path, name: str) -> bool:
    with suppress(FileNotFoundError):  # closed since it was listed
        return str(descriptor.readlink()) == name
    return False


def _quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    picked = {f"p{share:g}": ordered[int(len(ordered) * share / 100)] for share in (50, 95, 99)}
    return {"calls": len(ordered)} | {
        name: round(value * 1000, 1) for name, value in {**picked, "max": ordered[-1]}.items()
    }


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The figures, as they are kept."""
    usage, plan = outcome.usage, outcome.plan
    return {
        "database": plan.database,
        "clients": plan.clients,
        "seconds": round(outcome.seconds, 1),
        "calls": outcome.calls,
        "calls per second": round(outcome.calls / outcome.seconds, 1),
        "acknowledged writes": outcome.writes,
        "runs": outcome.runs,
        "things compared at the end": outcome.verified,
        "errors": len(outcome.errors),
        "lost": len(outcome.difference.lost),
        "surplus": len(outcome.difference.surplus),
        "changed": len(outcome.difference.changed),
        "memory": {
            "median MiB": round(usage.memory, 1),
            "peak MiB": round(usage.peak, 1),
            "median MiB in each quarter": [round(memory, 1) for memory in usage.quarters],
            "growth MiB": round(usage.growth, 2),
            "growth share": round(usage.growth_share, 4),
            "growth share at most": plan.growth_share,
        },
        "most open files": usage.files,
        "more open files than in the warm-up": usage.files_more,
        "most threads": usage.threads,
        "most database connections": usage.connections,
        "milliseconds": outcome.milliseconds,
        "findings": outcome.findings,
    }


def write_json(outcomes: list[Outcome], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([to_json(outcome) for outcome in outcomes], indent=2) + "\n", encoding="utf-8")
