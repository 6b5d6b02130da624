"""Executes jobs of GitHub's workflows as a runner does: their steps in order, in the environment that the forge gives.

Stood in for are the actions (checkout, artefacts), `python -m venv`, which links the environment of this test, and
the forge's API; pip runs, and finds what it is asked for installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.unit.forge.expressions import evaluate, filled

__all__ = ["Machine", "Runner", "read_workflow"]

_PYTHON: Final = """\
#!/bin/sh
[ "$1 $2" = "-m venv" ] && exec ln -s {prefix} "$3"
exec {prefix}/bin/python "$@"
"""


def read_workflow(path: Path) -> dict[str, Any]:
    """A workflow, or another document of a forge; the key `on`, which YAML 1.1 reads as true, is a text again."""
    read: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if name is True else name: value for name, value in read.items()}


@dataclass
class Machine:
    """What runs scripts, and keeps artefacts between jobs; each job has a folder of its own.

    Attributes:
        folder: Where the jobs work.
        repository: What a checkout brings.
        environ: What each job has of the forge.
        artifacts: What jobs have uploaded, by name.
        said: What the scripts printed.
    """

    folder: Path
    repository: Path
    environ: dict[str, str]
    artifacts: dict[str, Path] = field(default_factory=dict)
    said: str = ""
    _count: int = 0

    def place(self) -> Path:
        """The folder of another job, with an empty workspace."""
        self._count += 1
        place = self.folder / str(self._count)
        (place / "workspace").mkdir(parents=True)
        (place / "temp").mkdir()
        return place

    def check_out(self, place: Path) -> None:
        """Bring the repository into a job's workspace."""
        shutil.copytree(self.repository, place / "workspace", dirs_exist_ok=True)

    def keep(self, name: str, file: Path) -> None:
        """Keep an artefact."""
        kept = self.folder / "artifacts" / name
        kept.parent.mkdir(exist_ok=True)
        shutil.copy(file, kept)
        self.artifacts[name] = kept

    def script(self, text: str, place: Path, *, own: Mapping[str, Any], inside: str = ".") -> bool:
        """Run a script with bash as a runner does; False where it fails."""
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            (tools / "python3").write_text(_PYTHON.format(prefix=sys.prefix), encoding="utf-8")
            (tools / "python3").chmod(0o755)
        # A file, not a pipe: what the commands leave running may keep its end of a pipe open.
        log = place / "log.txt"
        with log.open("wb") as output:
            ended = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
                cwd=place / "workspace" / inside,
                env={
                    "PATH": f"{tools}:{os.environ['PATH']}",
                    "HOME": str(place),
                    "PIP_NO_INDEX": "1",
                    **self.environ,
                    **{name: str(value) for name, value in own.items()},
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        self.said += log.read_text(encoding="utf-8", errors="replace")
        return ended.returncode == 0


@dataclass
class Runner:
    """A runner of GitHub.

    Attributes:
        machine: What it runs on.
        github: The context of the event.
        inputs: Those of the workflow that is called.
        secrets: Given by the caller; a job of a fork has none.
        variables: The repository's.
        skipped: The jobs whose condition was not met.
        summary: What scripts wrote into the summary of their job.
    """

    machine: Machine
    inputs: dict[str, Any]
    github: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    summary: str = ""

    def run(self, workflow: Mapping[str, Any]) -> bool:
        """Run the jobs of a workflow whose conditions are met; False where one failed."""
        declared = workflow["on"]["workflow_call"]["inputs"]
        defaults = {name: item["default"] for name, item in declared.items() if "default" in item}
        required = {name for name, item in declared.items() if item.get("required")}
        assert required <= self.inputs.keys() <= declared.keys()
        contexts = {
            "github": self.github,
            "inputs": {**defaults, **self.inputs},
            "secrets": self.secrets,
            "vars": self.variables,
        }
        done: set[str] = set()
        for name, job in workflow["jobs"].items():
            needs = {job["needs"]} if "needs" in job else set()
            if not needs <= done or not evaluate(job.get("if", "'yes'"), contexts):
                self.skipped.append(name)
                continue
            if not self._job(job, contexts):
                return False
            done.add(name)
        return True

    def _job(self, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
        matrix = filled(job.get("strategy", {}).get("matrix", {}), contexts)
        for stack in matrix.get("stack", [None]):
            place = self.machine.place()
            of_job = {**contexts, "matrix": {"stack": stack}, "runner": {"temp": str(place / "temp")}}
            if not all(self._step(step, job, of_job, place) for step in job["steps"]):
                return False
        return True

    def _step(
        self, step: Mapping[str, Any], job: Mapping[str, Any], contexts: Mapping[str, Any], place: Path
    ) -> bool:
        if not evaluate(step.get("if", "'yes'"), contexts):
            return True
        if "uses" in step:
            self._use(step["uses"], filled(step.get("with", {}), contexts), place)
            return True
        inside = filled(job.get("defaults", {}).get("run", {}), contexts).get("working-directory", ".")
        summary = place / "summary.md"
        own = {
            "RUNNER_TEMP": place / "temp",
            "GITHUB_STEP_SUMMARY": summary,
            **filled(job.get("env", {}), contexts),
            **filled(step.get("env", {}), contexts),
        }
        has_succeeded = self.machine.script(step["run"], place, inside=inside, own=own)
        if summary.exists():
            self.summary += summary.read_text(encoding="utf-8")
            summary.unlink()
        return has_succeeded

    def _use(self, action: str, given: Mapping[str, Any], place: Path) -> None:
        match action.partition("@")[0]:
            case "actions/checkout":
                assert given == {"persist-credentials": False}
                self.machine.check_out(place)
            case "actions/upload-artifact":
                self.machine.keep(given["name"], Path(given["path"]))
            case "actions/download-artifact":
                Path(given["path"]).mkdir(exist_ok=True)
                shutil.copy(self.machine.artifacts[given["name"]], Path(given["path"], "plan.json"))
            case _:
                raise AssertionError(f"{action} is not stood in for")
