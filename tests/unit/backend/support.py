"""The REST side over a real database, without a process: what most tests of the room work with."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import Client, Response

from prism_iac.backend._app import make_api
from prism_iac.backend._certificates import CertificateOffice
from prism_iac.backend._edge import Edge
from prism_iac.backend._logins import LoginBrake, Passwords
from prism_iac.backend._runs import Signal, end_run
from prism_iac.backend._services import Agents, Services
from prism_iac.backend._tokens import TokenKind, Tokens
from prism_iac.backend.store import Database, cvms, runs, users
from prism_iac.backend.store.notices import Notice, Subject
from prism_iac.backend.store.users import NewUser
from prism_iac.model import Action, AgentState, AssetKind, VmStatus
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.unit.backend.bridge import AppTransport, LoopThread

PASSWORD: Final = "correct horse battery"
START: Final = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
A_SHA3: Final = "5f0b4f5c0a7e1e0f7f3f3f4a2a0a6d2c9a1b8c7d6e5f4a3b2c1d0e9f8a7b6c5d"


class ManualClock:
    """Moves a millisecond with each look, and as far as a test wants."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self.now += timedelta(milliseconds=1)
            return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class RecordedAgents:
    """Writes down what the REST side asks of the control stream."""

    woken: list[str] = field(default_factory=list)
    dropped_cvms: list[str] = field(default_factory=list)
    dropped_certificates: list[str] = field(default_factory=list)
    serving: bool = True

    def heed(self, notice: Notice) -> None:
        told = {
            Subject.CVM_HAS_NEWS: self.woken,
            Subject.CVM_REMOVED: self.dropped_cvms,
            Subject.CERTIFICATE_REVOKED: self.dropped_certificates,
        }
        told[notice.subject].append(notice.id)

    def is_serving(self) -> bool:
        return self.serving


def make_services(
    database: Database, folder: Path, *, clock: ManualClock | None = None, agents: Agents | None = None
) -> Services:
    clock = clock or ManualClock()
    office = CertificateOffice(folder)
    office.prepare(now=clock())
    return Services(
        database=database,
        clock=clock,
        tokens=Tokens(b"s" * 64, clock),
        passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        brake=LoginBrake(database),
        certificates=office,
        agents=agents or RecordedAgents(),
    )


@dataclass
class Person:
    """A user with a token; calls the API as that user."""

    client: Client
    id: str
    token: str
    name: str

    def call(self, method: str, path: str, **rest: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.token}", **rest.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **rest)

    def get(self, path: str, **rest: Any) -> Response:
        return self.call("GET", path, **rest)

    def post(self, path: str, body: Any = None, **rest: Any) -> Response:
        return (
            self.call("POST", path, json=body, **rest)
            if body is not None
            else self.call("POST", path, **rest)
        )

    def put(self, path: str, body: Any = None, **rest: Any) -> Response:
        return (
            self.call("PUT", path, json=body, **rest) if body is not None else self.call("PUT", path, **rest)
        )

    def patch(self, path: str, body: Any = None) -> Response:
        return self.call("PATCH", path, json=body) if body is not None else self.call("PATCH", path)

    def delete(self, path: str, **rest: Any) -> Response:
        return self.call("DELETE", path, **rest)

    def ok(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        """The JSON of an answer that must be a success; None where it has no body."""
        if body is not None:
            rest["json"] = body
        response = self.call(method, path, **rest)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


@cache
def the_api() -> FastAPI:
    """The one application of all tests, which run one after the other; making it takes a while."""
    return make_api()


class Prism:
    """An instance without a process."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        thread: LoopThread,
        *,
        agents: Agents | None = None,
        start: datetime = START,
    ) -> None:
        self.clock = ManualClock(start)
        self.agents = RecordedAgents()
        self.database = database
        self.services = make_services(database, folder, clock=self.clock, agents=agents or self.agents)
        api = the_api()
        api.state.services = self.services
        self.client = Client(
            transport=AppTransport(Edge(api), thread), base_url="http://prism", trust_env=False
        )

    def person(self, name: str, *, is_platform_administrator: bool = False) -> Person:
        new = NewUser(
            username=name,
            email=f"{name}@example.com",
            password_hash=self.services.passwords.hash(PASSWORD),
            is_platform_administrator=is_platform_administrator,
        )
        with self.database.writing() as session:
            user = users.add(session, new, now=self.clock())
        person = Person(self.client, user.id, "", name)
        person.token = self.token_of(person)
        return person

    def token_of(self, person: Person) -> str:
        return self.services.tokens.issue(person.id, TokenKind.ACCESS)

    def set_agent(
        self, cvm_id: str, state: str = AgentState.RECEIVING_MANIFEST, *, report: bytes = b""
    ) -> None:
        """What a connected agent would have told."""
        with self.database.writing() as session:
            cvm = cvms.lock(session, cvm_id)
            cvm.status, cvm.state, cvm.agent_url, cvm.report = VmStatus.ONLINE, state, "vm.test:7002", report

    def end_run(self, run_id: str, signal: Signal) -> None:
        with self.database.writing() as session:
            run = runs.find(session, run_id)
            assert run is not None
            end_run(session, run, signal, now=self.clock())

    def workspace(self, owner: Person, name: str = "lab") -> Workspace:
        return Workspace(owner, owner.ok("POST", "/auth/domains", {"name": name})["id"])


@dataclass
class Workspace:
    """A workspace, with the paths of what is in it."""

    owner: Person
    id: str

    @property
    def domain(self) -> str:
        return f"/auth/domains/{self.id}"

    @property
    def computations(self) -> str:
        return f"/computations/{self.id}/computations"

    @property
    def assets(self) -> str:
        return f"/computations/{self.id}/assets"

    @property
    def cvms(self) -> str:
        return f"/backends/{self.id}/cvms"

    @property
    def certs(self) -> str:
        return f"/certs/{self.id}/certs"

    def join(self, person: Person, *actions: str, role: str = "") -> Person:
        """Make somebody a member, in a role of its own."""
        body = {
            "role_name": role or f"role of {person.name}",
            "optional_actions": list(actions),
            "optional_members": [person.id],
        }
        self.owner.ok("POST", f"{self.domain}/roles", body)
        return person

    def computation(self, name: str = "train", *, by: Person | None = None, **fields: Any) -> str:
        body = {"name": name, "description": "Train on two sets", **fields}
        created: str = (by or self.owner).ok("POST", self.computations, body)["id"]
        return created

    def role(self, computation: str, person: Person, *actions: str, name: str = "") -> str:
        """Give somebody a role of its own on a computation."""
        body = {
            "role_name": name or f"role of {person.name}",
            "optional_actions": list(actions),
            "optional_members": [person.id],
        }
        path = f"{self.computations}/{computation}/roles"
        created: str = self.owner.ok("POST", path, body)["id"]
        return created

    def asset(self, person: Person, kind: str = "dataset", **fields: Any) -> str:
        body = {
            "asset": {
                "description": "A file",
                "asset_type": kind,
                "checksum": A_SHA3,
                "file_name": kind,
                **fields,
            }
        }
        created: str = person.ok("POST", self.assets, body)["id"]
        return created

    def link(self, person: Person, asset: str, computation: str) -> None:
        person.ok("POST", f"{self.assets}/{asset}/{computation}")

    def cvm(self, name: str = "vm", *, by: Person | None = None) -> str:
        path = f"{self.cvms}/external/2/sev-snp"
        created: str = (by or self.owner).ok("POST", path, {"name": name})["id"]
        return created

    def ready_cvm(self, prism: Prism, name: str = "vm") -> str:
        cvm = self.cvm(name)
        prism.set_agent(cvm)
        return cvm

    def run(self, computation: str, cvm: str, *, by: Person | None = None) -> str:
        path = f"{self.computations}/{computation}/run"
        run: str = (by or self.owner).ok("POST", path, params={"cvm": cvm})
        return run

    def runnable(self, name: str = "train", *, provider: Person | None = None, **fields: Any) -> str:
        """A computation that lacks nothing for a run; the owner is everybody in it unless a provider is given."""
        computation = self.computation(name, **fields)
        person = provider or self.owner
        parts = [Action.ALGO_PROVIDER, Action.DATASET_PROVIDER, Action.RESULT_CONSUMER]
        if provider is None:
            (owner_role,) = self.owner.ok("GET", f"{self.computations}/{computation}/roles")["roles"]
            path = f"{self.computations}/{computation}/roles/{owner_role['id']}/actions"
            self.owner.ok("POST", path, {"actions": parts})
        else:
            self.role(computation, provider, *parts)
        for kind in AssetKind:
            self.link(person, self.asset(person, kind), computation)
        person.ok("POST", f"{self.computations}/{computation}/key", {"key": public_pem()})
        return computation


@cache
def public_pem() -> str:
    return generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode()


def envelope(answer: Mapping[str, Any]) -> tuple[int, int, int]:
    """Total, limit and offset of a page."""
    return answer["total"], answer["limit"], answer["offset"]
