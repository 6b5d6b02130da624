"""Commands where there is no home, the locale knows ASCII alone, and the disk takes nothing more."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

STACK = """\
environment: dev
workspace: research
"bür🙂": 1
"""
BARE = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin": {"PYTHONIOENCODING": "latin-1"},
    "utf-8": {},
}


def run_bare(*arguments: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command without any variable but these; no HOME among them."""
    return subprocess.run(
        [sys.executable, "-m", "prism_iac.cli", *map(str, arguments)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        check=False,
    )


@pytest.mark.fault(40)
@pytest.mark.parametrize("locale", BARE)
def test_a_document_is_one_in_every_locale_and_without_a_home(locale: str, tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(STACK, encoding="utf-8")
    done = run_bare("validate", "stack.yaml", "--json", folder=tmp_path, **BARE[locale])
    assert done.returncode == 1, done.stderr
    text = done.stdout.decode("latin-1" if locale == "latin" else "utf-8")
    (finding,) = json.loads(text)
    assert finding["path"] == "bür🙂"


@pytest.mark.fault(40)
def test_a_full_disk_is_told_and_leaves_the_file_of_before(tmp_path: Path) -> None:
    command = ("keys", "--type", "ed25519", "--output", "ada")
    assert run_bare(*command, folder=tmp_path).returncode == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    full = subprocess.run(
        [sys.executable, "-m", "prism_iac.cli", *command, "--force"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        # A file that may not grow is refused as on a disk without room.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),  # no threads here
    )
    assert full.returncode == 1
    assert full.stderr == "File too large\n  Make room, and run it again.\n"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
