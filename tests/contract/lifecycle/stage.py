"""A deployment without the engine: handlers, the real backend, real VMs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prism_iac.agent import AgentClient, AlgorithmKind, ClientTls
from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Handler, Live, Session, Settings, check
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import KeyPair, generate_key_pair
from prism_iac.prism import Workspace

ADA = "ada@example.com"
GRACE = "grace@example.com"
EVE = "eve@example.com"

PATIENCE_SECONDS = 20.0


def eventually(look: Callable[[], Any]) -> Any:
    """The first true value of a look."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)
    return found


@dataclass
class Stage:
    """One deployment in a workspace of its own.

    Attributes:
        clock: What handlers take for now; None for the machine's clock.
        manager_key: That of the configuration, from the next deployment on.
        lines: What handlers reported.
    """

    data: Path
    workspace_name: str
    clock: datetime | None = None
    manager_key: str | None = None
    lines: list[str] = field(default_factory=list)
    keys: dict[str, KeyPair] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = self._connect()

    def begin_deployment(self) -> None:
        """A new plugin process: nothing is remembered."""
        self.session.close()
        self.session = self._connect()

    def _connect(self) -> Session:
        settings = Settings(
            endpoint=EMBEDDED,
            data=self.data,
            workspace=self.workspace_name,
            manager_key=self.manager_key,
        )
        session = Session(settings)
        session.allow_start()
        return session

    @property
    def workspace(self) -> Workspace:
        """The workspace as the platform's user sees it."""
        return self.session.workspace(self.workspace_name)

    def context(self, name: str, identity: str) -> Context:
        return Context(
            name=name,
            identity=identity,
            session=self.session,
            default_workspace=self.workspace_name,
            now=lambda: self.clock or datetime.now(UTC),
            pause=time.sleep,
            report=self.lines.append,
        )

    def check(self, kind: str, resource: str, *, generation: int = 0, **properties: Any) -> dict[str, Any]:
        """The inputs as the engine would record them."""
        context = self.context(resource, f"{kind}-{resource}.{generation}")
        return check(HANDLERS[kind], properties, context)

    def create(self, kind: str, resource: str, *, generation: int = 0, **properties: Any) -> Live[Any]:
        inputs = self.check(kind, resource, generation=generation, **properties)
        context = self.context(resource, inputs["identity"])
        return HANDLERS[kind].create(HANDLERS[kind].model.parse(inputs), context)

    def read(self, live: Live[Any]) -> Live[Any] | None:
        """What a refresh in a later deployment sees."""
        self.begin_deployment()
        return self._handler(live).read(live, self._context_of(live))

    def drift(self, live: Live[Any]) -> dict[str, tuple[Any, Any]]:
        """The inputs that a refresh shows as changed: recorded and live value."""
        seen = self.read(live)
        assert seen is not None
        recorded, actual = live.state.inputs(), seen.state.inputs()
        names = sorted({*recorded, *actual})
        return {n: (recorded.get(n), actual.get(n)) for n in names if recorded.get(n) != actual.get(n)}

    def update(self, live: Live[Any], **changes: Any) -> Live[Any]:
        desired = live.state.parse({**live.state.inputs(), **changes})
        return self._handler(live).update(live, desired, self._context_of(live))

    def delete(self, live: Live[Any]) -> None:
        self._handler(live).delete(live, self._context_of(live))

    def dataset(self, path: Path) -> Live[Any]:
        return self.create(
            "Asset", path.name, asset_type="dataset", provider=ADA, file=str(path), description="a dataset"
        )

    def algorithm(self, path: Path) -> Live[Any]:
        return self.create(
            "Asset",
            path.name,
            asset_type="algorithm",
            provider=GRACE,
            file=str(path),
            description="an algorithm",
        )

    def computation(self, name: str = "sum", **more: Any) -> Live[Any]:
        return self.create("Computation", name, **{"name": name, "description": "adds numbers", **more})

    def register_keys(self, computation: Live[Any], *users: str) -> None:
        for user in users:
            pair = self.keys.setdefault(user, generate_key_pair(KeyAlgorithm.ED25519))
            key = pair.public_pem.decode()
            self.create(
                "PublicKey", f"{computation.id}/{user}", computation=computation.id, user=user, key=key
            )

    def upload(self, run: Live[Any], algorithm: Path, *datasets: Path) -> None:
        """What the participants do."""
        with AgentClient.connect(run.state.agent_address, tls=ClientTls()) as agent:
            agent.wait_until_serving(PATIENCE_SECONDS)
            agent.upload_algorithm(algorithm, self.keys[GRACE].private_pem, kind=AlgorithmKind.PYTHON)
            for dataset in datasets:
                agent.upload_dataset(dataset, self.keys[ADA].private_pem)

    def fetch_result(self, run: Live[Any], destination: Path) -> Path:
        with AgentClient.connect(run.state.agent_address, tls=ClientTls()) as agent:
            return agent.fetch_result(self.keys[ADA].private_pem, destination)

    def _handler(self, live: Live[Any]) -> Handler[Any]:
        return HANDLERS[live.state.kind]

    def _context_of(self, live: Live[Any]) -> Context:
        return self.context(live.state.kind, live.state.identity)


def roles_of(stage: Stage, computation: Live[Any]) -> Mapping[str, str]:
    """The role of each user, by email address."""
    return {
        stage.session.name_of(member): role.name
        for role in stage.workspace.roles.list(computation.id)
        for member in role.members
    }
