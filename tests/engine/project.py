"""A Pulumi project in a temporary folder, driven through the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

from prism_iac.testing.faults import end_processes_of
from prism_iac.toolchain import Pulumi, prepare_project
from tests.engine.outcome import Outcome, outcome_of, read_events

TIME_LIMIT_SECONDS: Final = 180.0
STACK: Final = "dev"
_POLL_SECONDS: Final = 0.05

# Whatever the developer has set for projects of their own.
_FOREIGN_VARIABLES: Final = ("PULUMI_", "PRISM_", "AGENT_")
_ARGUMENTS: Final = {
    "preview": ("preview",),
    "up": ("up", "--yes", "--skip-preview"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
    "import": ("import", "--yes", "--skip-preview", "--generate-code=false", "--protect=false"),
}


@dataclass(frozen=True)
class ResourceState:
    """A resource as the state holds it."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


class Running:
    """A command of the engine that runs; `Project.start` makes one."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path, log: Path, folder: Path) -> None:
        self._process = process
        self._said = said
        self._log = log
        self._folder = folder

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.signal(signal.SIGINT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill the command itself, as a crash would; its plugins are left to notice."""
        self._process.kill()

    @property
    def text(self) -> str:
        """What it printed until now."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def until(self, happened: Callable[[], bool], time_limit_seconds: float = TIME_LIMIT_SECONDS) -> None:
        """Wait until something has happened while it runs."""
        deadline = time.monotonic() + time_limit_seconds
        while not happened():
            assert self._process.poll() is None, f"ended before:\n{self.text}"
            assert time.monotonic() < deadline, f"not within {time_limit_seconds} s:\n{self.text}"
            time.sleep(_POLL_SECONDS)

    def finish(self, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> Outcome:
        """Wait for its end."""
        try:
            code = self._process.wait(time_limit_seconds)
        except subprocess.TimeoutExpired:
            end_processes_of(self._folder)
            self._process.wait()
            raise AssertionError(f"not done within {time_limit_seconds} s:\n{self.text}") from None
        log = self._log.read_text("utf-8") if self._log.exists() else ""
        return outcome_of(code, self.text, read_events(log))


class Project:
    """A project of its own: program, state, passphrase, plugins and stack `dev`.

    The verbs `preview`, `up`, `refresh` and `destroy` run the real command line and read its event log.
    They assert that the command succeeds, or, with `succeeds=False`, that it fails.

    Attributes:
        folder: Where Pulumi.yaml, the program and its modules lie; `data_folder` finds `.prism` in it.
        environ: The environment of every command; tests may add to it.
    """

    def __init__(self, folder: Path, pulumi: Pulumi) -> None:
        self.folder = folder
        self.environ = _environment(folder, pulumi)
        self._commands: list[subprocess.Popen[bytes]] = []
        folder.mkdir(exist_ok=True)
        self.write("Pulumi.yaml", _PULUMI_YAML.format(virtualenv=json.dumps(sys.prefix)))
        prepare_project(folder, pulumi)
        self.pulumi("stack", "init", STACK)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project; common indentation of its lines is taken away."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def program(self, text: str) -> None:
        """Write the program, `__main__.py`. Modules beside it can be imported by it and by providers."""
        self.write("__main__.py", text)

    def preview(self, *arguments: str, succeeds: bool = True) -> Outcome:
        return self._do("preview", arguments, succeeds=succeeds)

    def up(self, *arguments: str, succeeds: bool = True) -> Outcome:
        return self._do("up", arguments, succeeds=succeeds)

    def refresh(self, *arguments: str, succeeds: bool = True) -> Outcome:
        return self._do("refresh", arguments, succeeds=succeeds)

    def destroy(self, *arguments: str, succeeds: bool = True) -> Outcome:
        return self._do("destroy", arguments, succeeds=succeeds)

    def start(self, verb: str, *arguments: str) -> Running:
        """Start a verb without waiting for it, for tests that interrupt or kill it."""
        number = len(self._commands) + 1
        said, log = (self.folder / ".prism" / f"{number}-{verb}.{kind}" for kind in ("txt", "json"))
        flags = ("--event-log", str(log), "--non-interactive", "--color", "never", "--suppress-progress")
        # A file, not a pipe: what the providers leave running may keep its end of a pipe open.
        with said.open("wb") as output:
            process = subprocess.Popen(
                ["pulumi", *_ARGUMENTS[verb], *flags, *arguments],
                cwd=self.folder,
                # The event log is a flag for debugging.
                env={**self.environ, "PULUMI_DEBUG_COMMANDS": "true"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._commands.append(process)
        return Running(process, said, log, self.folder)

    def close(self) -> None:
        """Kill whatever the project has started."""
        end_processes_of(self.folder)
        for process in self._commands:
            process.wait()

    def pulumi(self, *arguments: str, text: str = "") -> str:
        """Run any other command, which must succeed and may read a text; gives what it prints to stdout."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environ,
            input=text,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"pulumi {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def preview_json(self, *arguments: str) -> dict[str, Any]:
        """The document of `pulumi preview --json`."""
        document: dict[str, Any] = json.loads(self.pulumi("preview", "--json", *arguments))
        return document

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """Set a value of the stack's configuration; a secret one is in no process's arguments."""
        if secret:
            self.pulumi("config", "set", "--secret", key, text=value)
        else:
            self.pulumi("config", "set", "--plaintext", key, value)

    def stack_outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secret ones read `[secret]` unless they are shown."""
        shown = ["--show-secrets"] if show_secrets else []
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", *shown))
        return outputs

    def state(self, *, show_secrets: bool = False) -> dict[str, ResourceState]:
        """What the state holds, by logical name; the stack itself and providers are left out."""
        resources = self.deployment(show_secrets=show_secrets).get("resources", [])
        states = [
            ResourceState(
                urn=raw["urn"],
                type=raw["type"],
                id=raw.get("id", ""),
                inputs=raw.get("inputs", {}),
                outputs=raw.get("outputs", {}),
                raw=raw,
            )
            for raw in resources
            if not raw["type"].startswith(("pulumi:pulumi:", "pulumi:providers:"))
        ]
        return {state.name: state for state in states}

    def deployment(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The exported state as it is: resources, pending operations, secrets provider."""
        shown = ["--show-secrets"] if show_secrets else []
        deployment: dict[str, Any] = json.loads(self.pulumi("stack", "export", *shown))["deployment"]
        return deployment

    def _do(self, verb: str, arguments: tuple[str, ...], *, succeeds: bool) -> Outcome:
        outcome = self.start(verb, *arguments).finish()
        assert (outcome.exit_code == 0) is succeeds, f"code {outcome.exit_code}:\n{outcome.text}"
        return outcome


def _environment(folder: Path, pulumi: Pulumi) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_VARIABLES)}
    own = {
        "PULUMI_HOME": str(folder / ".pulumi-home"),
        "NO_COLOR": "1",
        # Two versions of a module within one second and of one size would share their compiled form.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return pulumi.environment(folder, {**inherited, **own})


_PULUMI_YAML: Final = """\
name: engine-test
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {virtualenv}
"""
