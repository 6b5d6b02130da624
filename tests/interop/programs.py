"""The programs of Cocos, where `COCOS_BIN` says that they are.

The variable names a folder with one folder per version, `v0.8.2/ v0.9.0/ v0.10.2/`, or one such folder itself.
A version has `cli` and `agent`; from 0.9 on `attestation-service`, `computation-runner` and `log-forwarder` too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "COCOS_BIN"
_FOLDER = re.compile(r"v?(\d+)\.(\d+)(\.\d+)?")


@dataclass(frozen=True)
class Programs:
    """One version's."""

    folder: Path
    version: tuple[int, int]

    @property
    def has_services(self) -> bool:
        """Whether the agent is one program among several."""
        return self.version >= (0, 9)

    @property
    def tells_its_vm(self) -> bool:
        """Whether the agent says on the control stream which VM it is in."""
        return self.version >= (0, 10)

    def __str__(self) -> str:
        return self.folder.name


def find_programs(environment: Mapping[str, str] = os.environ) -> list[Programs]:
    """Those of each version, the oldest first; none where the variable is not set."""
    told = environment.get(VARIABLE)
    if not told:
        return []
    folder = Path(told).resolve()
    folders = [folder] if (folder / "cli").is_file() else sorted(folder.iterdir())
    found = [
        Programs(path, (int(match[1]), int(match[2])))
        for path in folders
        if (match := _FOLDER.fullmatch(path.name)) and (path / "cli").is_file()
    ]
    assert found, f"{VARIABLE}={told} holds no folder such as v0.10.2 with the program `cli`"
    return sorted(found, key=lambda programs: programs.version)
