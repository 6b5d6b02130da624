"""What a user does all day: makes, reads, changes, lists and removes what a workspace consists of."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.soak.client import Client, Record, Unexpected
from tests.soak.journal import Fields, Journal, Thing

PASSWORD = "correct horse battery"
LONGEST_PAUSE_SECONDS = 0.1
MOST_OF_A_KIND = 12


@dataclass
class Worker:
    """One user, who alone changes what is its own, so that the last acknowledged write tells the end.

    Attributes:
        things: What is there, as it was acknowledged.
    """

    number: int
    client: Client
    record: Record
    journal: Journal
    name: str
    workspace: str = ""
    user: str = ""
    refresh: str = ""
    things: dict[Thing, Fields] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)  # noqa: S311  # the same day for the same number

    async def register(self) -> None:
        body = {
            "first_name": self.name,
            "last_name": "of the soak",
            "email": f"{self.name}@example.com",
            "credentials": {"username": self.name, "secret": PASSWORD},
        }
        self.user = (await self.client.call("register", "POST", "/users", body, status=201))["id"]
        await self.log_in()

    async def log_in(self) -> None:
        body = {"username": self.name, "password": PASSWORD}
        self._take(await self.client.call("log in", "POST", "/users/tokens/issue", body, status=201))

    async def refresh_session(self) -> None:
        self.client.token = self.refresh
        self._take(await self.client.call("refresh", "POST", "/users/tokens/refresh", status=201))

    def _take(self, pair: dict[str, str]) -> None:
        self.client.token, self.refresh = pair["access_token"], pair["refresh_token"]

    async def work(self, until: float) -> None:
        actions, weights = zip(*ACTIONS, strict=True)
        while time.monotonic() < until:
            (act,) = self.chance.choices(actions, weights)
            try:
                await act(self)
            except Unexpected as error:
                self.record.errors.append(str(error))
            await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE_SECONDS))

    def own(self, kind: str) -> list[Thing]:
        return [thing for thing in self.things if thing.kind == kind]

    def note(self, thing: Thing, fields: Fields) -> None:
        self.things[thing] = fields
        self.journal.note(thing, fields)

    def note_removal(self, thing: Thing) -> None:
        del self.things[thing]
        self.journal.note_removal(thing)

    def note_computations_removal(self, computation: Thing) -> None:
        """Note that a computation is gone, and its links with it."""
        self.note_removal(computation)
        for asset in self.own("asset"):
            fields = self.things[asset]
            if computation.id in fields["computations"]:
                left = [item for item in fields["computations"] if item != computation.id]
                self.note(asset, {**fields, "computations": left})

    @property
    def computations(self) -> str:
        return f"/computations/{self.workspace}/computations"

    @property
    def assets(self) -> str:
        return f"/computations/{self.workspace}/assets"

    async def make(self, kind: str, path: str, body: Any) -> str:
        """Create something, now and then twice under one key, as a client does that lost the answer."""
        self.made += 1
        key = f"{self.name}-{self.made}"
        made = await self.client.call(f"create {kind}", "POST", path, body, key=key, status=201)
        if self.chance.random() < 0.2:
            again = await self.client.call(f"create {kind} again", "POST", path, body, key=key, status=201)
            if again["id"] != made["id"]:
                raise Unexpected(f"create {kind}: a repeat under one key made another one")
        found: str = made["id"]
        return found

    async def take_part(self, computation: Thing, *parts: str) -> None:
        """Become a participant of an own computation."""
        path = f"{self.computations}/{computation.id}/roles"
        (role,) = (await self.client.call("list roles", "GET", path))["roles"]
        await self.client.call("add actions", "POST", f"{path}/{role['id']}/actions", {"actions": parts})
        self.note(computation, {**self.things[computation], "parts": sorted(parts)})


async def make_computation(worker: Worker) -> None:
    if len(worker.own("computation")) >= MOST_OF_A_KIND:
        await remove_computation(worker)
        return
    fields = {"name": f"{worker.name} {worker.made}", "description": "version 0"}
    computation = Thing(
        "computation", worker.workspace, await worker.make("computation", worker.computations, fields)
    )
    worker.note(computation, fields)
    await worker.take_part(computation, "dataset_provider")


async def change_computation(worker: Worker) -> None:
    for computation in _some(worker, "computation"):
        fields = {**worker.things[computation], "description": f"version {worker.chance.random()}"}
        body = {name: fields[name] for name in ("name", "description")}
        await worker.client.call("update computation", "PUT", f"{worker.computations}/{computation.id}", body)
        worker.note(computation, fields)


async def read_computation(worker: Worker) -> None:
    for computation in _some(worker, "computation"):
        found = await worker.client.call("read computation", "GET", f"{worker.computations}/{computation.id}")
        known = worker.things[computation]
        if any(found[name] != known[name] for name in ("name", "description")):
            raise Unexpected(f"read computation: not what was acknowledged: {found['description']}")


async def check_computation(worker: Worker) -> None:
    for computation in _some(worker, "computation"):
        await worker.client.call("dry run", "POST", f"{worker.computations}/{computation.id}/dryrun")


async def list_computations(worker: Worker) -> None:
    path = f"{worker.computations}?limit=100"
    found = {item["id"] for item in (await worker.client.call("list", "GET", path))["computations"]}
    own = {thing.id for thing in worker.own("computation")}
    if not own <= found:
        raise Unexpected(f"list: {len(own - found)} computations are missing")


async def remove_computation(worker: Worker) -> None:
    for computation in _some(worker, "computation"):
        path = f"{worker.computations}/{computation.id}"
        await worker.client.call("delete computation", "DELETE", path, status=204)
        worker.note_computations_removal(computation)


async def make_asset(worker: Worker) -> None:
    if len(worker.own("asset")) >= MOST_OF_A_KIND:
        await remove_asset(worker)
        return
    checksum = hashlib.sha3_256(f"{worker.name} {worker.made}".encode()).hexdigest()
    fields = {"description": "a file", "checksum": checksum, "file_name": f"{worker.made}.csv"}
    asset = await worker.make("asset", worker.assets, {"asset": {**fields, "asset_type": "dataset"}})
    worker.note(Thing("asset", worker.workspace, asset), {**fields, "computations": []})


async def change_asset(worker: Worker) -> None:
    for asset in _some(worker, "asset"):
        changed = {"description": f"a file {worker.chance.random()}"}
        body = {"asset": {**changed, "asset_type": "dataset"}}
        await worker.client.call("update asset", "PUT", f"{worker.assets}/{asset.id}", body)
        worker.note(asset, {**worker.things[asset], **changed})


async def link_asset(worker: Worker) -> None:
    for asset in _some(worker, "asset"):
        for computation in _some(worker, "computation"):
            if computation.id not in worker.things[asset]["computations"]:
                await worker.client.call("link", "POST", f"{worker.assets}/{asset.id}/{computation.id}")
                linked = sorted([*worker.things[asset]["computations"], computation.id])
                worker.note(asset, {**worker.things[asset], "computations": linked})


async def remove_asset(worker: Worker) -> None:
    for asset in _some(worker, "asset"):
        for computation in worker.things[asset]["computations"]:
            await worker.client.call("unlink", "PUT", f"{worker.assets}/{asset.id}/{computation}")
        await worker.client.call("delete asset", "DELETE", f"{worker.assets}/{asset.id}", status=204)
        worker.note_removal(asset)


async def list_assets(worker: Worker) -> None:
    await worker.client.call("list assets", "GET", f"{worker.assets}?limit=100")


async def look_at_health(worker: Worker) -> None:
    await worker.client.call("health", "GET", "/health")


def _some(worker: Worker, kind: str) -> list[Thing]:
    """One of a worker's things, or none where there is none."""
    own = worker.own(kind)
    return [worker.chance.choice(own)] if own else []


Action: TypeAlias = Callable[[Worker], Coroutine[Any, Any, None]]

ACTIONS: tuple[tuple[Action, float], ...] = (
    (make_computation, 8),
    (change_computation, 8),
    (read_computation, 20),
    (check_computation, 4),
    (list_computations, 10),
    (remove_computation, 2),
    (make_asset, 6),
    (change_asset, 6),
    (link_asset, 6),
    (remove_asset, 2),
    (list_assets, 6),
    (look_at_health, 4),
    (Worker.refresh_session, 1),
    (Worker.log_in, 0.1),
)
"""What is done, and how often beside the others."""
