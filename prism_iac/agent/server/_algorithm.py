"""The commands that each kind of algorithm takes.

Source: cocos-grpc.md section 2.5, with these differences: a Python environment without requirements is made
without pip and needs no network; WebAssembly runs in wasmtime; the algorithm's environment is clean.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.agent._protocol import AlgorithmKind
from prism_iac.agent.server import _wasm_host
from prism_iac.agent.server._refused import RunFailed
from prism_iac.agent.server._workspace import Workspace

__all__ = ["Job", "Step", "steps_of"]

_FOR_THE_INSTALLER: Final = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
"""Beginnings of the agent's variables that say where packages come from; letter case does not matter."""

_QUIET: Final = ("--no-input", "--disable-pip-version-check", "--no-color")


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted algorithm.

    Attributes:
        kind: As it was uploaded; may be none that the agent knows.
        has_requirements: Packages came with it.
    """

    kind: str
    arguments: tuple[str, ...]
    has_requirements: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a run.

    Attributes:
        environment: All that the command sees of it.
        readable: The files and folders that it sees, besides the system's and the workspace's folder.
        failure: How the error of this step begins.
        is_algorithm: It is the algorithm itself, not a preparation.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    readable: tuple[str, ...]
    failure: str = "algorithm execution error"
    is_algorithm: bool = True


def steps_of(job: Job, workspace: Workspace, agent_environment: Mapping[str, str]) -> tuple[Step, ...]:
    """The commands of a run, in order; each in the workspace's folder.

    Raises:
        RunFailed: There is no such kind of algorithm.
    """
    make = _KINDS.get(job.kind)
    if make is None:
        raise RunFailed(f"unsupported algorithm type: {job.kind}")
    return tuple(make(job, workspace, agent_environment))


def _clean(workspace: Workspace, agent_environment: Mapping[str, str]) -> dict[str, str]:
    # The interpreter itself comes first: a wrapper of it may lead to folders that are closed to algorithms.
    interpreter = str(Path(sys.base_prefix, "bin"))
    return {
        "PATH": os.pathsep.join((interpreter, agent_environment.get("PATH", os.defpath))),
        "HOME": str(workspace.home),
        "TMPDIR": str(workspace.temporary),
        "LANG": "C.UTF-8",
    }


def _programs(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where interpreters and other programs lie."""
    folders = environment["PATH"].split(os.pathsep)
    return (sys.prefix, sys.base_prefix, *filter(os.path.isabs, folders))


def _binary(job: Job, workspace: Workspace, agent_environment: Mapping[str, str]) -> Sequence[Step]:
    clean = _clean(workspace, agent_environment)
    return [Step((str(workspace.algorithm), *job.arguments), clean, _programs(clean))]


def _python(job: Job, workspace: Workspace, agent_environment: Mapping[str, str]) -> Sequence[Step]:
    clean = _clean(workspace, agent_environment)
    python = str(workspace.environment / "bin" / "python")
    pip_or_not = [] if job.has_requirements else ["--without-pip"]
    steps = [
        Step(
            (sys.executable, "-I", "-m", "venv", *pip_or_not, str(workspace.environment)),
            clean,
            _programs(clean),
            failure="error creating virtual environment",
            is_algorithm=False,
        )
    ]
    if job.has_requirements:
        settings = _installer_variables(agent_environment)
        named = tuple(value.removeprefix("file://") for text in settings.values() for value in text.split())
        steps.append(
            Step(
                (python, "-m", "pip", *_QUIET, "install", "-r", str(workspace.requirements)),
                clean | settings,
                (*_programs(clean), *filter(os.path.isabs, named)),
                failure="error installing requirements",
                is_algorithm=False,
            )
        )
    steps.append(Step((python, str(workspace.algorithm), *job.arguments), clean, _programs(clean)))
    return steps


def _installer_variables(agent_environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in agent_environment.items()
        if name.upper().startswith(_FOR_THE_INSTALLER)
    }


def _wasm(job: Job, workspace: Workspace, agent_environment: Mapping[str, str]) -> Sequence[Step]:
    host = str(Path(_wasm_host.__file__))
    command = (sys.executable, "-I", host, workspace.algorithm.name, *job.arguments)
    clean = _clean(workspace, agent_environment)
    return [Step(command, clean, (*_programs(clean), host))]


_KINDS: Final[Mapping[str, Callable[[Job, Workspace, Mapping[str, str]], Sequence[Step]]]] = {
    "": _binary,
    AlgorithmKind.BIN: _binary,
    AlgorithmKind.PYTHON: _python,
    AlgorithmKind.WASM: _wasm,
}
