"""Both sides of an instance in the tests' own process: REST and the control stream over real TLS."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prism_iac.backend._services import Agents
from prism_iac.backend._settings import ControlTimes
from prism_iac.backend.control import ControlServer, ControlServices, ServerIdentity
from prism_iac.backend.store import Database
from prism_iac.backend.store.notices import Notice
from tests.contract.backend.fake_agent import FakeAgent, Identity
from tests.unit.backend.bridge import LoopThread
from tests.unit.backend.support import Person, Prism, Workspace

PATIENCE_SECONDS = 60.0
QUICK = ControlTimes(poll=0.1, quick_poll=0.05, patience=0.5, offline_grace=0.5)


def eventually(look: Callable[[], Any]) -> Any:
    """The first true value of a look."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)
    return found


class SwitchedAgents(Agents):
    """The control server of the moment: restarts replace it."""

    current: ControlServer

    def heed(self, notice: Notice) -> None:
        self.current.heed(notice)

    def is_serving(self) -> bool:
        return self.current.is_serving()


class Live:
    """An instance, its first user, and a workspace."""

    def __init__(self, database: Database, folder: Path, thread: LoopThread, times: ControlTimes) -> None:
        self._thread = thread
        self._times = times
        self._agents = SwitchedAgents()
        # TLS judges certificates by the machine's clock.
        self.prism = Prism(database, folder, thread, agents=self._agents, start=datetime.now(UTC))
        self.port = 0
        self.insecure_port = 0
        self.ada: Person = self.prism.person("ada")

    def start(self) -> None:
        """Start the control stream, at the same port as before."""
        services = ControlServices(self.prism.database, self.prism.clock, self._times)
        self._agents.current = ControlServer(services)
        self.port = self._thread.run(self._agents.current.start(f"127.0.0.1:{self.port}", self._identity()))
        insecure = self._agents.current.start_insecure(f"127.0.0.1:{self.insecure_port}")
        self.insecure_port = self._thread.run(insecure)
        if not hasattr(self, "lab"):
            self.lab: Workspace = self.prism.workspace(self.ada)

    def stop(self) -> None:
        self._thread.run(self._agents.current.stop())

    @contextmanager
    def replica(self) -> Iterator[str]:
        """The address of the control stream of another replica, which the REST side knows nothing of."""
        server = ControlServer(ControlServices(self.prism.database, self.prism.clock, self._times))
        port = self._thread.run(server.start("127.0.0.1:0", self._identity()))
        yield f"localhost:{port}"
        self._thread.run(server.stop())

    def _identity(self) -> ServerIdentity:
        office = self.prism.services.certificates
        issued = office.issue_for_server(["localhost", "127.0.0.1"], now=self.prism.clock())
        return ServerIdentity(issued.certificate_pem, issued.key_pem, client_ca=office.ca_pem)

    def streams(self) -> int:
        """How many streams of agents are open."""
        return len(self._agents.current._streams)

    def unrecorded(self) -> int:
        """How many messages of agents have come that are not in the database."""
        return sum(stream.came - stream.recorded for stream in self._agents.current._streams)

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def identity(self, cvm: str, serial: str | None = None) -> Identity:
        """A CVM's certificate, downloaded as its maker does it."""
        if serial is None:
            page = self.ada.ok("GET", self.lab.certs, params={"entity_id": cvm})
            serial = page["certificates"][0]["serial_number"]
        token = self.ada.ok("GET", f"{self.lab.certs}/{serial}/download/token")["token"]
        files = self.ada.ok("GET", f"{self.lab.certs}/{serial}/download", params={"downloadToken": token})
        ca, certificate, key = (
            base64.b64decode(files[name]) for name in ("ca", "certificate", "private_key")
        )
        return Identity(ca, certificate, key)

    def agent(
        self, cvm: str, *, identity: Identity | None = None, address: str = "", **options: Any
    ) -> FakeAgent:
        return FakeAgent(address or self.address, identity or self.identity(cvm), **options)

    def agent_in_clear(self, **options: Any) -> FakeAgent:
        return FakeAgent(f"127.0.0.1:{self.insecure_port}", None, **options)

    def cvm(self, cvm: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ada.ok("GET", f"{self.lab.cvms}/{cvm}")
        return found

    def wait_for_cvm(self, cvm: str, **wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = eventually(lambda: _if(self.cvm(cvm), **wanted))
        return found

    def ready_cvm(self, connect: Callable[..., FakeAgent], **options: Any) -> tuple[str, FakeAgent]:
        """A new CVM with a connected agent that awaits a manifest."""
        cvm = self.lab.cvm()
        agent = connect(cvm, **options)
        self.wait_for_cvm(cvm, status="online", state="ReceivingManifest")
        return cvm, agent

    def latest_run(self, computation: str) -> dict[str, Any]:
        run: dict[str, Any] = self.ada.ok("GET", f"{self.lab.computations}/{computation}/run")
        return run

    def wait_for_run(self, computation: str, **wanted: str | int) -> dict[str, Any]:
        found: dict[str, Any] = eventually(lambda: _if(self.latest_run(computation), **wanted))
        return found

    def events(self, computation: str) -> list[tuple[str, str]]:
        """Type and status of each event, oldest first."""
        path = f"{self.lab.computations}/{computation}/events"
        page = self.ada.ok("GET", path, params={"limit": 100})
        return [(event["event_type"], event["status"]) for event in page["events"]][::-1]

    def logs(self, computation: str) -> list[tuple[str, str]]:
        """Level and message of each log line, oldest first."""
        path = f"{self.lab.computations}/{computation}/logs"
        page = self.ada.ok("GET", path, params={"limit": 100})
        return [(log["level"], log["message"]) for log in page["logs"]][::-1]


def _if(record: dict[str, Any], **wanted: str | int) -> dict[str, Any] | None:
    return record if wanted.items() <= record.items() else None
