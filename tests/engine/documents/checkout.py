"""A copy of this checkout, as a clone would be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]


def copy_checkout(folder: Path) -> Path:
    """Every file that belongs to the project, what its installation generates, and the environment of this test."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    generated = (path.relative_to(ROOT).as_posix() for path in (ROOT / "prism_iac" / "wire").glob("*_pb2*"))
    for name in (*filter(None, listed), *generated):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
            # Not newer than the environment, else `make` would install into the one that runs this test.
            os.utime(folder / name, (0, 0))
    assert Path(sys.prefix, ".complete").exists(), "run the tests by `make test`, or `make setup` first"
    (folder / ".venv").symlink_to(sys.prefix)
    return folder
