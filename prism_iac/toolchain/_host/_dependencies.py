"""What a project depends on: installing it, and telling it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from prism_iac.toolchain._host._child import Chunk, Command
from prism_iac.toolchain._host._interpreter import Refused
from prism_iac.toolchain._host._project import Project

__all__ = ["install_dependencies", "installed_packages", "python_version"]

_REQUIREMENTS: Final = "requirements.txt"
_PYTHON_VERSION: Final = "import platform; print(platform.python_version())"


async def install_dependencies(project: Project) -> AsyncGenerator[Chunk, None]:
    """Make the virtual environment unless it is there, and install `requirements.txt` into it.

    Gives what the commands say, as it comes.

    Raises:
        Refused: A command failed.
    """
    if project.virtualenv is not None and not project.virtualenv.exists():
        make = Command([sys.executable, "-m", "venv", str(project.virtualenv)], project.folder, os.environ)
        async with aclosing(_said(make)) as chunks:
            async for chunk in chunks:
                yield chunk
    if not (project.folder / _REQUIREMENTS).is_file():
        why = f"There is no {_REQUIREMENTS} in {project.folder}: nothing to install.\n"
        yield Chunk(why.encode(), is_error=False)
        return
    async with aclosing(_said(project.python("-m", "pip", "install", "-r", _REQUIREMENTS))) as chunks:
        async for chunk in chunks:
            yield chunk


async def installed_packages(project: Project, *, transitive: bool) -> dict[str, str]:
    """The packages of the interpreter of a project, name to version.

    Args:
        project: The project.
        transitive: Those too that others need.

    Raises:
        Refused: pip fails, or is not there.
    """
    selection = () if transitive else ("--not-required",)
    listed = await _answer(project.python("-m", "pip", "list", "--format=json", *selection))
    return {package["name"]: package["version"] for package in json.loads(listed)}


async def python_version(project: Project) -> str:
    """The version of the interpreter of a project, such as `3.11.7`."""
    return (await _answer(project.python("-c", _PYTHON_VERSION))).decode().strip()


async def _answer(command: Command) -> bytes:
    """What a command prints to stdout."""
    async with aclosing(_said(command)) as chunks:
        return b"".join([chunk.data async for chunk in chunks if not chunk.is_error])


async def _said(command: Command) -> AsyncGenerator[Chunk, None]:
    """What a command says, as it comes; raises `Refused` when it fails."""
    async with aclosing(command.output()) as parts:
        async for part in parts:
            if not isinstance(part, int):
                yield part
            elif part != 0:
                raise Refused(f"`{' '.join(command.arguments)}` ended with code {part}")
