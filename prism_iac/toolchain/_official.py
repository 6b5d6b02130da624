"""Obtains the CLI with the official installer, which the Pulumi SDK runs.

Run as a module it installs the CLI of the SDK's version into the folder that its argument names. That is
a process of its own because the installer knows no time limit.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from prism_iac.toolchain._command import LongCommand, Report

__all__ = ["install_official"]

_CONNECT_SECONDS: Final = 10.0
_LIMIT_SECONDS: Final = 300


def install_official(root: Path, environ: Mapping[str, str], report: Report) -> None:
    """Put the CLI of the SDK's version, with all its plugins, into `root/bin`.

    Raises:
        CommandFailed: The installer cannot be had, or fails.
    """
    LongCommand(
        title="running the official installer of Pulumi",
        arguments=[sys.executable, "-P", "-m", "prism_iac.toolchain._official", str(root)],
        limit_seconds=_LIMIT_SECONDS,
        environ=environ,
        folder=root,
    ).run(report)


def _install(root: str) -> str:
    """Why it could not be installed; empty when it was."""
    from pulumi.automation import PulumiCommand

    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        PulumiCommand.install(root=root)
    except Exception as error:  # noqa: BLE001  # one line for the caller, whatever the SDK raises
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(_install(sys.argv[1]))
