"""Runs the commands of a document as a reader would type them: in one shell, in their order."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

TIME_LIMIT_SECONDS: Final = 900.0
_MARK: Final = "=== block {number} ==="
_FOREIGN_VARIABLES: Final = ("PULUMI_", "PRISM_", "AGENT_", "MAKE", "MFLAGS")


def run_in_one_shell(blocks: Sequence[str], folder: Path, **variables: str) -> list[str]:
    """What each block printed, both streams together; the first command that fails fails the test."""
    script = "set -euo pipefail\n" + "".join(
        f"echo '{_MARK.format(number=number)}'\n{block}\n" for number, block in enumerate(blocks)
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_VARIABLES)}
    log = folder.with_name(f"{folder.name}.log")
    # A file, not a pipe: what the commands leave running may keep its end of a pipe open.
    with log.open("wb") as output:
        code = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={**environ, "NO_COLOR": "1", "PULUMI_HOME": str(folder / ".pulumi-home"), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=TIME_LIMIT_SECONDS,
            check=False,
        ).returncode
    said = log.read_text(encoding="utf-8", errors="replace")
    assert code == 0, said
    parts = []
    for number in reversed(range(len(blocks))):
        said, _, part = said.partition(f"{_MARK.format(number=number)}\n")
        parts.append(part)
    return parts[::-1]
