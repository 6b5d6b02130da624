"""Managers that a host can install without an index: a wheel, and what stands in for the binary of Cocos."""

from __future__ import annotations

import sysconfig
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
COCOS = """#!/usr/bin/env python3
# Listens as the manager of Cocos would, and tells what it was given.
import os, signal, socket
given = {name: value for name, value in os.environ.items() if name.startswith("MANAGER_")}
open("given", "w").write(repr(given))
listening = socket.create_server((os.environ["MANAGER_GRPC_HOST"], int(os.environ["MANAGER_GRPC_PORT"])))
signal.pause()
"""


def make_wheel(folder: Path) -> Path:
    """A real wheel that brings this checkout and its libraries to an environment."""
    path = folder / "prism_here-1-py3-none-any.whl"
    files = {
        "prism_here.pth": f"{sysconfig.get_path('purelib')}\n{ROOT}\n",
        "prism_here-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: prism-here\nVersion: 1\n",
        "prism_here-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "prism_here-1.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
