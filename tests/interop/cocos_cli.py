"""`cocos-cli` as participants run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prism_iac.pki import KeyPair
from tests.interop.programs import Programs

PATIENCE_SECONDS = 120
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CocosCli:
    """The command in a folder, with an agent's address in its environment.

    It ends with 0 whatever happened, so what it says is all there is to judge by.
    """

    programs: Programs
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def with_variables(self, **variables: str) -> CocosCli:
        return CocosCli(self.programs, self.folder, {**self.variables, **variables})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.programs.folder / "cli", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def say(self, *arguments: str) -> str:
        """What it says, both streams together."""
        process = self.start(*arguments)
        try:
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return _COLOURS.sub("", said)

    def key(self, kind: str, name: str = "") -> KeyPair:
        """Keys that it makes; they lie in its folder, or in one below it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        said = CocosCli(self.programs, folder, self.variables).say("keys", "-k", kind)
        assert f"Successfully generated public/private key pair of type: {kind}" in said
        return KeyPair((folder / "private.pem").read_bytes(), (folder / "public.pem").read_bytes())
