"""Entries in files of their own: joined as if they stood in the file that includes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from prism_iac.spec import composed, explain, load_stack
from prism_iac.spec.lock import resolve_pins, restate_checksums

HEAD = "environment: dev\nworkspace: lab\n"
DIGEST = "a" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack whose computations, and an asset of theirs, are in files of their own."""
    monkeypatch.chdir(tmp_path)
    write(
        "base.yaml",
        "workspace: lab\ninclude: parts/*.yaml\nparticipants: {ada: {user: ada, public_key: ada.pem}}\n"
        f"assets: {{fit: {{kind: algorithm, provider: ada, checksum: {DIGEST}, file_name: fit.py}}}}\n",
    )
    write("ada.pem", generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode())
    write(
        "parts/one.yaml",
        "# What ada measured.\nassets:\n  data: {kind: dataset, provider: ada, file: data.csv}\n"
        "computations:\n"
        "  one: {description: One, algorithm: fit, datasets: [data], result_consumers: [ada], agent: {tls: none}}\n",
    )
    write("parts/data.csv", "1,2\n")
    write(
        "parts/two.yaml",
        "computations:\n  two: {description: Two, algorithm: fit, result_consumers: [ada], agent: {tls: none}}\n",
    )
    write("dev.yaml", "extends: base.yaml\nenvironment: dev\n")
    return tmp_path


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def test_included_entries_are_the_stacks_own_and_their_paths_are_relative_to_their_file(folder: Path) -> None:
    stack = load_stack(Path("dev.yaml"))
    assert [*stack.computations] == ["one", "two"]
    assert stack.assets["data"].file == folder / "parts" / "data.csv"
    assert [str(file) for file in stack.files] == [
        "parts/one.yaml",
        "parts/two.yaml",
        "base.yaml",
        "dev.yaml",
    ]
    assert str(stack.origin("computations", "two", "description")) == "parts/two.yaml:2:22"
    assert "include" not in composed(Path("dev.yaml"))


def test_an_environment_goes_over_included_entries_and_removes_them() -> None:
    write(
        "dev.yaml",
        "extends: base.yaml\nenvironment: dev\ncomputations: {one: {description: Mine}, two: null}\n",
    )
    assert [(name, item.description) for name, item in load_stack(Path("dev.yaml")).computations.items()] == [
        ("one", "Mine")
    ]
    (origin,) = explain(Path("dev.yaml"), "computations.one.description")
    assert [(item.value, str(item.place)) for item in origin.settings] == [
        ("One", "parts/one.yaml:5:22"),
        ("Mine", "dev.yaml:3:35"),
    ]


def test_a_file_that_several_patterns_name_counts_once() -> None:
    write(
        "dev.yaml",
        "extends: base.yaml\nenvironment: dev\ninclude: [parts/one.yaml, 'parts/t*.yaml', ./parts/../parts/one.yaml]\n",
    )
    assert [*load_stack(Path("dev.yaml")).computations] == ["one", "two"]


def test_a_name_that_two_included_files_declare_is_refused_with_both_places() -> None:
    write("parts/three.yaml", "computations:\n  two: {description: Again}\n")
    with pytest.raises(
        InvalidInput, match=r'parts/two\.yaml:2:3: .*"two" is declared at parts/three\.yaml:2:3, too'
    ):
        load_stack(Path("dev.yaml"))


def test_a_lock_covers_what_is_included_and_a_carried_checksum_is_restated_in_the_included_file() -> None:
    pins = resolve_pins(load_stack(Path("dev.yaml")))
    assert {*pins.computations} == {"one", "two"}
    write(
        "parts/one.yaml", Path("parts/one.yaml").read_text().replace("file: data.csv", f"checksum: {DIGEST}")
    )
    (path, text), *others = restate_checksums(Path("dev.yaml"), ["one"], {"data": "b" * 64}).items()
    assert not others
    assert path == Path("parts/one.yaml")
    assert text == path.read_text().replace(DIGEST, "b" * 64)
