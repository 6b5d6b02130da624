from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from prism_iac.model import Manifest, ManifestAlgorithm, archive_folder
from tests.unit.cli.conftest import Run


def test_the_hash_of_a_file_is_the_whole_output(run: Run, here: Path) -> None:
    (here / "iris.csv").write_bytes(b"5.1,3.5\n")
    digest = hashlib.sha3_256(b"5.1,3.5\n")
    assert run("checksum", "iris.csv").out == f"{digest.hexdigest()}\n"
    assert base64.b64decode(run("checksum", "-b", "iris.csv").out) == digest.digest()


def test_a_folder_has_the_hash_of_its_archive(run: Run, here: Path) -> None:
    (here / "set" / "inner").mkdir(parents=True)
    (here / "set" / "inner" / "a.csv").write_text("1\n")
    archive = b"".join(archive_folder(here / "set"))
    assert run("checksum", "set").out == f"{hashlib.sha3_256(archive).hexdigest()}\n"


def test_a_manifest_has_the_hash_of_its_canonical_form(run: Run, here: Path) -> None:
    manifest = Manifest(
        id="1", name="sum", description="", algorithm=ManifestAlgorithm(hash=bytes(32), user_key=b"key")
    )
    spaced = {"unknown": True, **dict(reversed(manifest.to_json().items()))}
    (here / "manifest.json").write_text(json.dumps(spaced, indent=4))
    assert run("checksum", "--manifest", "manifest.json").out == f"{manifest.digest().hex()}\n"
    assert run("checksum", "manifest.json").out != run("checksum", "-m", "manifest.json").out
