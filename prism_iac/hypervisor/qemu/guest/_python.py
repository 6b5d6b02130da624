"""The agent in the guest: its code as it is installed here, its libraries built for the guest's Python."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from prism_iac.hypervisor.qemu.guest._tool import run_tool

__all__ = [
    "LIBRARIES",
    "PACKAGE",
    "agent_files",
    "compile_sources",
    "install_agent",
    "installed_versions",
    "standard_library",
]

PACKAGE: Final = Path(__file__).parents[3]
"""The folder of the package, whose agent a guest runs."""

_AGENT_ROOMS: Final = (".", "agent", "attestation", "model", "pki", "wire")
LIBRARIES: Final = (
    *("cryptography", "grpcio", "grpcio-health-checking", "httpx", "lazy-loader", "protobuf"),
    *("pydantic", "pyopenssl", "structlog"),
)
"""What the agent imports; wasmtime is left out, which alone would be half of the image."""

_GLIBC_MINORS: Final = range(17, 37)
"""The versions 2.x of the C library that Debian 12 runs programs of."""

_PLATFORMS: Final = ("manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in _GLIBC_MINORS))
_UNUSED_METADATA: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_UNUSED_MODULES: Final = ("idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo")
_NO_PIP: Final = (
    "Install pip into this Python environment and look at the package index, then run this again."
)
_NO_COMPILE: Final = "Build the image on a machine that runs programs for x86-64."


def agent_files() -> Iterator[Path]:
    """Every file of the agent's code, relative to the folder of the package, in order."""
    found: set[Path] = set()
    for room in _AGENT_ROOMS:
        pattern = "*.py*" if room == "." else "**/*.py*"
        found |= {path for path in (PACKAGE / room).glob(pattern) if path.suffix in (".py", ".pyi")}
    yield from sorted(path.relative_to(PACKAGE) for path in found)


def installed_versions() -> dict[str, str]:
    """The version of every distribution of this environment, by its canonical name."""
    return {re.sub(r"[-_.]+", "-", item.name).lower(): item.version for item in distributions() if item.name}


def install_agent(root: Path, home: Path, *, scratch: Path) -> None:
    """Put the agent and its libraries into a folder of the guest.

    Args:
        root: The guest's files, with its Python.
        home: The folder, below `root`.
        scratch: For what pip needs besides.

    Raises:
        Conflict: A library cannot be had for the guest's Python.
    """
    constraints = scratch / "constraints.txt"
    versions = installed_versions()
    constraints.write_text(
        "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()) if name != "prism-iac")
    )
    python = _interpreter(root)
    run_tool(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--no-compile", "--target", str(home), "--constraint", str(constraints)),
            *("--only-binary", ":all:", "--implementation", "cp", "--python-version", _version_of(python)),
            *(word for platform in _PLATFORMS for word in ("--platform", platform)),
            *LIBRARIES,
        ],
        scratch,
        next_step=_NO_PIP,
    )
    shutil.rmtree(home / "bin", ignore_errors=True)
    for name in _UNUSED_METADATA:
        for path in home.glob(f"*.dist-info/{name}"):
            path.unlink()
    for file in agent_files():
        target = home / PACKAGE.name / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / file, target)


def compile_sources(root: Path, *folders: Path) -> None:
    """Compile what the guest would compile at every boot, by its own interpreter.

    Args:
        root: The guest's files.
        folders: Below `root`.

    Raises:
        Conflict: This machine does not run the guest's programs.
    """
    python = _interpreter(root)
    for name in _UNUSED_MODULES:
        shutil.rmtree(root / "usr/lib" / python.name / name, ignore_errors=True)
    libraries = ":".join(str(root / "usr/lib" / part) for part in ("x86_64-linux-gnu", "."))
    run_tool(
        [
            *(str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, str(python), "-S"),
            *("-m", "compileall", "-q", "-s", str(root), "-p", "/", "--invalidation-mode", "unchecked-hash"),
            *(str(folder) for folder in folders),
        ],
        root,
        environment={"PYTHONHOME": str(root / "usr"), "PYTHONHASHSEED": "0", "PYTHONPATH": ""},
        next_step=_NO_COMPILE,
    )


def standard_library(root: Path) -> Path:
    """Where the guest's Python has its own modules."""
    return root / "usr/lib" / _interpreter(root).name


def _interpreter(root: Path) -> Path:
    (python,) = (root / "usr/bin").glob("python3.*[0-9]")
    return python


def _version_of(python: Path) -> str:
    return python.name.removeprefix("python")
