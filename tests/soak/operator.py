"""Whoever has a VM: runs computations on it one after the other, and fetches certificates for it."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import Any

from tests.contract.backend.fake_agent import FakeAgent, Identity
from tests.soak.client import Unexpected
from tests.soak.journal import Thing
from tests.soak.worker import Worker
from tests.unit.backend.support import A_SHA3, public_pem

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
MOST_RUNS = 20
EVENTS = (("Running", "InProgress"), ("Running", "Completed"), ("Complete", "Completed"))


@dataclass
class Operator:
    """A user with a VM, whose agent is connected over mutual TLS.

    Attributes:
        control_address: Where agents connect.
        runs: How many runs there were.
    """

    worker: Worker
    control_address: str
    runs: int = 0

    async def work(self, until: float) -> None:
        try:
            cvm, agent = await self._vm()
        except Unexpected as error:
            self.worker.record.errors.append(str(error))
            return
        try:
            while time.monotonic() < until:
                await self._life_of_a_computation(cvm, agent, until)
        except (Unexpected, AssertionError) as error:
            self.worker.record.errors.append(f"run: {error}")
        finally:
            await asyncio.to_thread(agent.close)

    async def _vm(self) -> tuple[str, FakeAgent]:
        call = self.worker.client.call
        path = f"/backends/{self.worker.workspace}/cvms/external/2/sev-snp"
        cvm: str = (await call("create VM", "POST", path, {"name": self.worker.name}, status=201))["id"]
        page = await call("list certificates", "GET", f"{self._certs}?entity_id={cvm}")
        serial = page["certificates"][0]["serial_number"]
        self._note_certificate(serial, revoked=False)
        identity = await self._download(serial)
        agent = await asyncio.to_thread(
            FakeAgent, self.control_address, identity, metadata=(("job-id", cvm),)
        )
        await self._until("the VM is not ready", lambda: self._is_ready(cvm))
        return cvm, agent

    async def _life_of_a_computation(self, cvm: str, agent: FakeAgent, until: float) -> None:
        """A computation of its own, some runs of it, a certificate, and its removal."""
        worker, call = self.worker, self.worker.client.call
        computation = await self._runnable()
        path = f"{worker.computations}/{computation.id}"
        runs: list[Thing] = []
        while len(runs) < MOST_RUNS and time.monotonic() < until:
            runs.append(Thing("run", worker.workspace, await call("run", "POST", f"{path}/run?cvm={cvm}")))
            fields = {"computation_id": computation.id, "number": len(runs)}
            worker.note(runs[-1], {**fields, "status": "running"})
            await asyncio.to_thread(agent.wait, _holds(agent, len(runs), self.runs))
            for event_type, status in EVENTS:
                agent.event(event_type, status, computation=computation.id)
            agent.state = "Complete"
            await self._until("the run does not end", lambda: self._has_ended(path))
            worker.note(runs[-1], {**fields, "status": "completed"})
        events = await call("events", "GET", f"{path}/events?limit=100")
        wanted = len(runs) * (len(EVENTS) + 1)  # the agent tells by itself that it took the manifest
        if events["total"] != wanted:
            raise Unexpected(f"{events['total']} events of {wanted}")
        self.runs += len(runs)
        await self._certificate(cvm)
        if time.monotonic() < until:
            await call("delete computation", "DELETE", path, status=204)
            for run in runs:
                worker.note_removal(run)
            worker.note_computations_removal(computation)

    async def _runnable(self) -> Thing:
        """A computation that lacks nothing; every part in it is the operator's."""
        worker, call = self.worker, self.worker.client.call
        fields = {"name": f"run {self.runs} of {worker.name}", "description": "is run"}
        computation = Thing(
            "computation", worker.workspace, await worker.make("computation", worker.computations, fields)
        )
        path = f"{worker.computations}/{computation.id}"
        worker.note(computation, fields)
        await worker.take_part(computation, "algo_provider", "dataset_provider", "result_consumer")
        for kind in ("algorithm", "dataset"):
            for asset in await self._assets(kind):
                await call("link", "POST", f"{worker.assets}/{asset.id}/{computation.id}")
                worker.note(asset, {**worker.things[asset], "computations": [computation.id]})
        await call("upload key", "POST", f"{path}/key", {"key": public_pem()})
        return computation

    async def _assets(self, kind: str) -> list[Thing]:
        """The one asset of a kind that all the operator's computations use; unlinked with each that is removed."""
        worker = self.worker
        known = [thing for thing in worker.own("asset") if worker.things[thing]["description"] == kind]
        if not known:
            fields = {"description": kind, "checksum": A_SHA3, "file_name": kind}
            made = await worker.make("asset", worker.assets, {"asset": {**fields, "asset_type": kind}})
            known = [Thing("asset", worker.workspace, made)]
            worker.note(known[0], {**fields, "computations": []})
        return known

    async def _certificate(self, cvm: str) -> None:
        """Issue one, download it once, be refused the second time, and revoke it."""
        call = self.worker.client.call
        issued = await call("issue", "POST", f"{self._certs}/issue/cvm/{cvm}", {}, status=201)
        serial = issued["serial_number"]
        self._note_certificate(serial, revoked=False)
        await self._download(serial)
        await call("revoke", "PATCH", f"{self._certs}/{serial}/revoke")
        self._note_certificate(serial, revoked=True)

    async def _download(self, serial: str) -> Identity:
        call, path = self.worker.client.call, f"{self._certs}/{serial}/download"
        token = (await call("download token", "GET", f"{path}/token"))["token"]
        files = await call("download", "GET", f"{path}?downloadToken={token}")
        await call("download again", "GET", f"{path}?downloadToken={token}", status=401)
        return Identity(*(base64.b64decode(files[name]) for name in ("ca", "certificate", "private_key")))

    def _note_certificate(self, serial: str, *, revoked: bool) -> None:
        self.worker.note(Thing("certificate", self.worker.workspace, serial), {"revoked": revoked})

    @property
    def _certs(self) -> str:
        return f"/certs/{self.worker.workspace}/certs"

    async def _is_ready(self, cvm: str) -> bool:
        path = f"/backends/{self.worker.workspace}/cvms/{cvm}"
        found = await self.worker.client.call("read VM", "GET", path)
        return bool(found["status"] == "online" and found["state"] == "ReceivingManifest")

    async def _has_ended(self, path: str) -> bool:
        found = await self.worker.client.call("read run", "GET", f"{path}/run")
        return bool(found["status"] == "completed")

    async def _until(self, complaint: str, look: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await look():
            if time.monotonic() > deadline:
                raise Unexpected(complaint)
            await asyncio.sleep(POLL_SECONDS)


def _holds(agent: FakeAgent, number: int, earlier: int) -> Any:
    """Whether an agent has got as many manifests, and never more."""
    wanted = earlier + number

    def holds(_: FakeAgent) -> bool:
        if len(agent.manifests) > wanted:
            raise AssertionError(f"{len(agent.manifests)} manifests for {wanted} runs")
        return len(agent.manifests) == wanted

    return holds
