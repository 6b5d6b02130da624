"""Which Python runs a program: the virtual environment that Pulumi.yaml names, or ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Interpreter", "Refused", "virtualenv_of"]

# What a toolchain means when no virtualenv is named.
_VIRTUALENV_OF_TOOLCHAIN: Final[Mapping[str, str]] = {"": "", "pip": "", "uv": ".venv"}
_HONOURED: Final = frozenset({"virtualenv", "toolchain"})


class Refused(Exception):
    """The host cannot do what the project asks for; the message says why, and what to do."""


def virtualenv_of(root: Path, options: Mapping[str, Any]) -> Path | None:
    """The virtual environment that the runtime options of a project ask for; it need not exist.

    Args:
        root: The folder of Pulumi.yaml; a relative virtualenv begins there.
        options: `runtime.options` of Pulumi.yaml.

    Raises:
        Refused: An option is not honoured here.
    """
    unknown = sorted(options.keys() - _HONOURED)
    toolchain = str(options.get("toolchain", ""))
    if unknown or toolchain not in _VIRTUALENV_OF_TOOLCHAIN:
        what = unknown[0] if unknown else f"toolchain: {toolchain}"
        raise Refused(
            f"Pulumi.yaml has the runtime option `{what}`, which needs Pulumi's own Python language host.\n"
            "  Install the official bundle of Pulumi, or leave the option out and name a `virtualenv`."
        )
    named = str(options.get("virtualenv", "")) or _VIRTUALENV_OF_TOOLCHAIN[toolchain]
    return root / named if named else None


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter, and the virtual environment that it belongs to, if one is named."""

    executable: Path
    virtualenv: Path | None

    @classmethod
    def of(cls, virtualenv: Path | None, environ: Mapping[str, str]) -> Interpreter:
        """The interpreter of a virtual environment.

        Without one, `PULUMI_PYTHON_CMD` of the environment counts, as for the official host; without
        both it is the interpreter of this process.

        Raises:
            Refused: The virtual environment has no interpreter.
        """
        if virtualenv is None:
            return cls(Path(environ.get("PULUMI_PYTHON_CMD") or sys.executable), None)
        executable = virtualenv / "bin" / "python"
        if not executable.is_file():
            raise Refused(
                f"Pulumi.yaml names the virtualenv {virtualenv}, which has no bin/python.\n"
                "  Make it, and install what the program needs into it."
            )
        return cls(executable, virtualenv)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process of this interpreter, the virtual environment activated."""
        if self.virtualenv is None:
            return dict(environ)
        path = os.pathsep.join(filter(None, [str(self.executable.parent), environ.get("PATH", "")]))
        activated = {**environ, "VIRTUAL_ENV": str(self.virtualenv), "PATH": path}
        activated.pop("PYTHONHOME", None)
        return activated
