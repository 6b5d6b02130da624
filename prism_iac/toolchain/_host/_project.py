"""A program or plugin as the engine describes it, and the commands that run it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import language_pb2

from prism_iac.toolchain._host._child import Command
from prism_iac.toolchain._host._interpreter import Interpreter, Refused, virtualenv_of

__all__ = ["Project", "plugin_command", "program_command"]

_PROGRAM_SCRIPT: Final = Path(__file__).with_name("_program.py")


@dataclass(frozen=True, slots=True)
class Project:
    """A Python project of the engine.

    Attributes:
        folder: The folder of the program.
        entry: The file to run, relative to it, or `.` for its `__main__.py`.
        virtualenv: The virtual environment it asks for; it need not exist.
    """

    folder: Path
    entry: str
    virtualenv: Path | None

    @classmethod
    def of(cls, info: language_pb2.ProgramInfo) -> Project:
        """The project that a request is about.

        Raises:
            Refused: Its runtime options are not honoured here.
        """
        virtualenv = virtualenv_of(Path(info.root_directory), MessageToDict(info.options))
        return cls(Path(info.program_directory), info.entry_point or ".", virtualenv)

    def python(
        self, *arguments: str, folder: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> Command:
        """A command of its interpreter, in its folder unless another one is named.

        Raises:
            Refused: It asks for a virtual environment that does not exist.
        """
        interpreter = Interpreter.of(self.virtualenv, environ)
        return Command(
            arguments=[str(interpreter.executable), *arguments],
            folder=folder or self.folder,
            environ=interpreter.environment(environ),
        )


def program_command(request: language_pb2.RunRequest, engine_address: str) -> Command:
    """The command that runs a program for one preview or update.

    Raises:
        Refused: The project cannot be run here.
    """
    project = Project.of(request.info)
    settings = {
        "project": request.project,
        "stack": request.stack,
        "monitor": request.monitor_address,
        "engine": engine_address,
        "parallel": request.parallel,
        "dry_run": request.dryRun,
        "organization": request.organization or "organization",
        "root_directory": request.info.root_directory,
    }
    # Variables, not arguments, which every user of the machine can read.
    configuration = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }
    return project.python(
        *("-u", str(_PROGRAM_SCRIPT), json.dumps({"entry": project.entry, "settings": settings})),
        folder=Path(request.pwd),
        environ={**os.environ, **configuration},
    )


def plugin_command(request: language_pb2.RunPluginRequest) -> Command:
    """The command that runs a policy pack, or a provider that is a folder with a `__main__.py`.

    Raises:
        Refused: The plugin cannot be run here.
    """
    arguments_of = _PLUGIN_ARGUMENTS.get(request.kind)
    if arguments_of is None:
        raise Refused(f"a plugin of kind `{request.kind}` needs Pulumi's own Python language host")
    project = Project.of(request.info)
    if not (project.folder / "__main__.py").is_file():
        raise Refused(f"there is no __main__.py in {project.folder}")
    return project.python(
        *("-u", *arguments_of(project, tuple(request.args))),
        folder=Path(request.pwd),
        environ=dict(item.split("=", 1) for item in request.env) or os.environ,
    )


# The arguments of a request begin with the address of the engine.
_PLUGIN_ARGUMENTS: Final[Mapping[str, Callable[[Project, tuple[str, ...]], tuple[str, ...]]]] = {
    "analyzer": lambda project, arguments: ("-m", "pulumi.policy", *arguments, str(project.folder)),
    "resource": lambda project, arguments: (str(project.folder), *arguments),
}
