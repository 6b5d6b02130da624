"""Executes jobs of a GitLab pipeline as a runner does, with the variables that the scope of their environment gives."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tests.unit.forge.expressions import evaluate
from tests.unit.forge.runner import Machine

__all__ = ["GitLabRunner", "read_template", "when_of"]


def read_template(path: Path, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs of a template that is included with inputs, with what they extend joined in."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n---\n")
    declared = yaml.safe_load(head)["spec"]["inputs"]
    assert (
        {name for name, item in declared.items() if "default" not in item} <= inputs.keys() <= declared.keys()
    )
    values = {name: inputs.get(name, item.get("default")) for name, item in declared.items()}
    filled = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: _text(values[found[1]]), body)
    jobs = yaml.safe_load(filled)
    return {name: _whole(jobs, job) for name, job in jobs.items() if not name.startswith(".")}


def _text(value: Any) -> str:
    """How GitLab writes an input into the text of a template, before it is read as YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def _whole(jobs: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    base = _whole(jobs, jobs[job["extends"]]) if "extends" in job else {}
    variables = {**base.get("variables", {}), **job.get("variables", {})}
    return {**base, **job, "variables": variables}


def when_of(job: Mapping[str, Any], pipeline: Mapping[str, str]) -> str:
    """Whether a pipeline has a job: `on_success`, `manual` or `never`, by the first rule that fits."""
    known = {**pipeline, **job["variables"]}
    for rule in job["rules"]:
        if evaluate(re.sub(r"\$(\w+)", r"\1", rule["if"]).replace('"', "'"), known):
            return str(rule.get("when", "on_success"))
    return "never"


@dataclass
class GitLabRunner:
    """A runner of GitLab.

    Attributes:
        machine: What it runs on.
        pipeline: The predefined variables.
        scoped: The project's variables, by the scope of environments that they are for.
        ran: The jobs that ran, in their order.
    """

    machine: Machine
    pipeline: dict[str, str]
    scoped: dict[str, dict[str, str]]
    ran: list[str] = field(default_factory=list)

    def run(self, jobs: Mapping[str, Mapping[str, Any]], *by_hand: str) -> bool:
        """Run the jobs that the pipeline has, and those by hand that are named; False where one failed."""
        for name, job in jobs.items():
            when = when_of(job, self.pipeline)
            if when == "never" or (when == "manual") is not (name in by_hand):
                continue
            self.ran.append(name)
            if not all(self._run(job, stack) for stack in _stacks_of(job)):
                return False
        return True

    def _run(self, job: Mapping[str, Any], stack: Mapping[str, str]) -> bool:
        place = self.machine.place()
        workspace = place / "workspace"
        known = {**self.pipeline, **job["variables"], **stack, "CI_PROJECT_DIR": str(workspace)}
        environment = Template(job.get("environment", {}).get("name", "")).substitute(known)
        for scope, variables in self.scoped.items():
            if environment and fnmatch(environment, scope):
                known |= variables
        if known.get("GIT_STRATEGY") != "none":
            self.machine.check_out(place)
        for name in self.machine.artifacts if job.get("needs") else ():
            shutil.copy(self.machine.artifacts[name], workspace / name)
        lines = [*_flat(job.get("before_script", [])), *job["script"]]
        if not self.machine.script("\n".join(lines), place, own=known):
            return False
        for pattern in job.get("artifacts", {}).get("paths", []):
            name = Template(pattern).substitute(known)
            self.machine.keep(name, workspace / name)
        return True


def _stacks_of(job: Mapping[str, Any]) -> list[dict[str, str]]:
    (matrix,) = job.get("parallel", {}).get("matrix", [{"STACK": [""]}])
    return [{"STACK": stack} for stack in matrix["STACK"]]


def _flat(lines: list[Any]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, list):
            yield from _flat(line)
        else:
            yield line
