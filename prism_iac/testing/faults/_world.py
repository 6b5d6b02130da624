"""A project of its own world: a copy of a program, a store of its state, a backend behind a proxy, local VMs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from prism_iac.prism import Embedded, find_embedded
from prism_iac.testing.faults._processes import (
    command_of,
    end_processes,
    end_processes_of,
    processes_of,
)
from prism_iac.testing.faults._proxy import FaultProxy
from prism_iac.testing.faults._state_store import StateStore
from prism_iac.testing.faults._tape import Tape
from prism_iac.toolchain import Pulumi, prepare_project

__all__ = ["STACK", "Ended", "Victim", "World", "open_world"]

STACK: Final = "faults"
PATIENCE_SECONDS: Final = 30.0
_TIME_LIMIT_SECONDS: Final = 240.0
_POLL_SECONDS: Final = 0.02
_STARTS: Final = 3
"""How often a start is tried: on a machine with a lot to do one may take longer than the command waits."""

_FOREIGN_VARIABLES: Final = ("PULUMI_", "PRISM_", "AGENT_", "AWS_")
_NOT_COPIED: Final = (".prism", ".venv", ".git", "__pycache__", ".pulumi-home")
_PROVIDERS: Final = ("pulumi.dynamic", "pulumi-resource-")
_SERVERS: Final = ("prism_iac.backend", "prism_iac.agent")
_QUIET: Final = ("--non-interactive", "--color", "never")
_STEADY: Final = ("--suppress-progress", "--parallel", "1")
"""One resource after the other, so that calls have the same numbers each time."""


class Victim(StrEnum):
    """What is killed."""

    ENGINE = "engine"
    PROVIDER = "provider"
    BACKEND = "backend"


@dataclass(frozen=True)
class Ended:
    """A command of the engine that has ended, by itself or killed."""

    code: int
    text: str


@dataclass
class World:
    """One stack of a project, and everything that it can reach.

    Attributes:
        folder: The copy of the project.
        tape: Numbers the calls to the backend and the writes of state.
        store: Keeps the state.
        said: What every command has printed.
        backend: The backend as it is reached past the proxy.
    """

    folder: Path
    environ: Mapping[str, str]
    tape: Tape
    store: StateStore
    proxy: FaultProxy
    said: list[str] = field(default_factory=list)
    backend: Embedded = field(init=False)
    _engine: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """The data folder of its backend and its VMs."""
        return self.folder / ".prism"

    def run(self, *command: str, meanwhile: Callable[[], None] = lambda: None) -> Ended:
        """Run a command of the engine to its end.

        Args:
            command: As it is written behind `pulumi`.
            meanwhile: Called once it has begun.
        """
        output = self.data / "said.txt"
        # A file, not a pipe: what the providers leave running may keep its end of a pipe open.
        with output.open("wb") as said:
            self._engine = subprocess.Popen(  # noqa: S603  # the CLI that was found, no shell
                ["pulumi", *command, *_QUIET],  # noqa: S607  # first on the PATH of the world
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        meanwhile()
        try:
            code = self._engine.wait(_TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._engine.kill()
            code = self._engine.wait()
        text = output.read_text("utf-8", errors="replace")
        self.said.append(text)
        return Ended(code, text)

    def update(self, verb: str, *arguments: str) -> Ended:
        """Run `up` or `destroy`, with the proxy in place."""
        if not self._is_backend_behind_proxy():
            # A provider that found no backend has started one, which may have ended since.
            self.start_backend()
        return self.run(verb, "--yes", "--skip-preview", *_STEADY, *arguments)

    def preview_after_refresh(self) -> Ended:
        """A preview that looks at everything anew, and fails where a change is left."""
        return self.run("preview", "--refresh", "--expect-no-changes", *_STEADY)

    def resources(self) -> Iterator[Mapping[str, Any]]:
        """The resources in state, as they are stored."""
        yield from self.deployment().get("resources") or ()

    def pending(self) -> int:
        """How many operations the state calls pending."""
        return len(self.deployment().get("pending_operations") or ())

    def deployment(self) -> Mapping[str, Any]:
        """The state of the stack as it is stored: `resources`, `pending_operations`."""
        (content,) = self.store.states()
        latest: Mapping[str, Any] = json.loads(content)["checkpoint"].get("latest") or {}
        return latest

    def kill(self, victim: Victim) -> None:
        """Kill it, and see it gone; a backend comes back at once, as a supervisor would have it."""
        if victim is Victim.BACKEND:
            self.backend.close()
            end_processes([self.backend.pid])
            self._until(lambda: not command_of(self.backend.pid))
            self.start_backend()
            return
        if victim is Victim.PROVIDER:
            end_processes(self._plugins())
        if victim is Victim.ENGINE and self._engine is not None:
            self._engine.kill()
            self._engine.wait()
        # The plugins of a killed engine end by themselves; nobody tells them.
        self._until(lambda: all(map(_is_idle, self._plugins())))

    def settle(self) -> list[int]:
        """Wait for the end of all that a command has started but servers; gives what does not end.

        A dynamic plugin that was asked for no resource yet is the engine's own business: no code of this package runs
        in it, and it does not notice that its engine was killed. It is killed here.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := self._clients()) and time.monotonic() < deadline:
            if all(map(_is_idle, left)):
                end_processes(left)
            time.sleep(_POLL_SECONDS)
        return left

    def prism_iac(self, *command: str) -> Ended:
        """Run a command of this package in the project."""
        done = subprocess.run(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "prism_iac.cli", *command],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        return Ended(done.returncode, self.said[-1])

    def start_backend(self) -> None:
        """Start the backend, and let clients find the proxy in its place."""
        tries = (
            self.prism_iac("backend", "up", "--data", str(self.data / "backend")) for _ in range(_STARTS)
        )
        assert any(started.code == 0 for started in tries), f"the backend does not start:\n{self.said[-1]}"
        instance = self.data / "backend" / "instance.json"
        # A machine with a lot to do may be too slow for one look.
        self._until(lambda: find_embedded(self.data) is not None)
        told = json.loads(instance.read_bytes())
        self.backend = Embedded(self.data, told["rest_url"], told["control_address"], told["pid"])
        self.proxy.backend = self.backend.endpoint
        instance.write_text(json.dumps(told | {"rest_url": self.proxy.endpoint}), encoding="utf-8")

    def _is_backend_behind_proxy(self) -> bool:
        with suppress(OSError):
            told = json.loads((self.data / "backend" / "instance.json").read_bytes())
            return told["rest_url"] == self.proxy.endpoint and bool(command_of(told["pid"]))
        return False

    def close(self) -> None:
        """End the connections to the backend."""
        self.backend.close()

    def agents(self) -> list[int]:
        """The processes of agents, whoever knows of them."""
        return [pid for pid in processes_of(self.folder) if "prism_iac.agent" in command_of(pid)]

    def _plugins(self) -> list[int]:
        return [pid for pid in processes_of(self.folder) if any(p in command_of(pid) for p in _PROVIDERS)]

    def _clients(self) -> list[int]:
        return [
            pid
            for pid in processes_of(self.folder)
            if (command := command_of(pid)) and not any(server in command for server in _SERVERS)
        ]

    @staticmethod
    def _until(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            if time.monotonic() >= deadline:
                raise AssertionError("what was killed does not end")
            time.sleep(_POLL_SECONDS)


def _is_idle(pid: int) -> bool:
    """Whether a dynamic plugin has not been asked for a resource, so that no module of this package is there."""
    # What the engine's own modules do without.
    with suppress(OSError):
        return "pulumi.dynamic" in command_of(pid) and "pydantic_core" not in Path(
            f"/proc/{pid}/maps"
        ).read_text("utf-8")
    return False


@contextmanager
def open_world(
    project: Path, place: Path, pulumi: Pulumi, *, configuration: Mapping[str, str]
) -> Iterator[World]:
    """A world for a copy of a project; what it has started is killed afterwards.

    Args:
        project: A folder with Pulumi.yaml and a program in Python.
        place: An empty folder for the copy.
        pulumi: The CLI.
        configuration: Values of the stack's configuration by key; the workspace that it names is made before.
    """
    folder = place / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED, "Pulumi.*.yaml"))
    _adapt_project_file(project, folder)
    with ExitStack() as closing:
        tape = Tape()
        store = closing.enter_context(StateStore(tape.passing))
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(_FOREIGN_VARIABLES)}
        own = {
            "PULUMI_HOME": str(place / "home"),
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **store.environment,
        }
        prepare_project(folder, pulumi)
        proxy = closing.enter_context(FaultProxy("", passing=tape.passing))
        closing.callback(end_processes_of, place)
        world = World(folder, pulumi.environment(folder, {**inherited, **own}), tape, store, proxy)
        world.start_backend()
        closing.callback(world.close)
        for command in (
            ("stack", "init", STACK),
            *(("config", "set", "--plaintext", key, value) for key, value in configuration.items()),
        ):
            ended = world.run(*command)
            assert ended.code == 0, ended.text
        if workspace := configuration.get("prism:workspace"):
            world.backend.accounts.ensure_workspace(workspace)
        yield world


def _adapt_project_file(project: Path, folder: Path) -> None:
    """Let the program run with this interpreter; state has a place of its own here."""
    import yaml

    document = yaml.safe_load((project / "Pulumi.yaml").read_bytes())
    document["runtime"] = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    for name in ("backend", "stackConfigDir", "plugins"):
        document.pop(name, None)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
