from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from prism_iac.toolchain import ensure_pulumi, find_pulumi
from prism_iac.toolchain._launchers import PLUGINS
from tests.unit.toolchain.machine import Machine, write_cli, write_script

LANGUAGE, DYNAMIC = PLUGINS


def files_of(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_an_official_cli_on_path_is_used_as_it_is(machine: Machine) -> None:
    binary = machine.on_path("official", "v3.300.1")
    found = find_pulumi(machine.environ)
    assert found is not None
    assert (found.binary, str(found.version)) == (binary, "3.300.1")
    assert found.bin_folders == (binary.parent,)
    assert not found.has_own_host


def test_nothing_is_found_where_there_is_nothing(machine: Machine) -> None:
    assert find_pulumi(machine.environ) is None


@pytest.mark.parametrize("version", ["v3.215.0", "v4.0.0", "", "no-version"])
def test_a_cli_of_a_version_that_does_not_serve_is_passed_over(machine: Machine, version: str) -> None:
    machine.on_path("unfit", version)
    fitting = machine.on_path("fitting", "v3.216.0")
    found = find_pulumi(machine.environ)
    assert found is not None
    assert found.binary == fitting


def test_a_cli_that_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.on_path("broken", "v3.300.0")
    write_script(machine.root / "broken" / "pulumi", "exit 3")
    assert find_pulumi(machine.environ) is None


def test_a_cli_is_found_through_a_link_with_the_plugins_beside_its_file(machine: Machine) -> None:
    binary = write_cli(machine.root / "opt", "v3.300.0", PLUGINS)
    machine.path.append(machine.root / "links")
    machine.path[0].mkdir()
    (machine.path[0] / "pulumi").symlink_to(binary)
    found = find_pulumi(machine.environ)
    assert found is not None
    assert not found.has_own_host


def test_plugins_elsewhere_on_path_belong_to_a_cli_on_path(machine: Machine) -> None:
    machine.on_path("alone", "v3.300.0", plugins=())
    machine.path.append(machine.root / "plugins")
    for plugin in PLUGINS:
        write_script(machine.root / "plugins" / plugin)
    found = find_pulumi(machine.environ)
    assert found is not None
    assert not found.has_own_host
    assert found.bin_folders == (machine.root / "alone", machine.root / "plugins")


def test_path_goes_before_the_cache(machine: Machine) -> None:
    machine.in_cache("v3.400.0", PLUGINS)
    binary = machine.on_path("official", "v3.300.0")
    found = find_pulumi(machine.environ)
    assert found is not None
    assert found.binary == binary


def test_the_newest_cli_of_the_cache_is_used(machine: Machine) -> None:
    for version in ("v3.99.0", "v3.259.0", "v3.300.0", "v4.1.0"):
        machine.in_cache(version, PLUGINS)
    found = find_pulumi(machine.environ)
    assert found is not None
    assert str(found.version) == "3.300.0"


def test_finding_writes_nothing_and_does_not_count_a_cli_without_plugins(machine: Machine) -> None:
    machine.in_cache("v3.259.0")
    before = files_of(machine.root)
    assert find_pulumi(machine.environ) is None
    assert files_of(machine.root) == before


def test_a_cli_without_plugins_gets_ours_in_a_folder_of_its_own(machine: Machine) -> None:
    original = machine.in_cache("v3.259.0")
    before = files_of(original.parent)
    made = ensure_pulumi(machine.environ, ways=())
    assert made.has_own_host
    assert made.binary.samefile(original)
    assert names_in(made.binary.parent) == {"pulumi", *PLUGINS}
    assert files_of(original.parent) == before
    assert find_pulumi(machine.environ) == made


def test_a_cli_on_path_without_plugins_is_not_written_beside(machine: Machine) -> None:
    binary = machine.on_path("alone", "v3.300.0", plugins=())
    made = ensure_pulumi(machine.environ, ways=())
    assert made.binary.is_relative_to(machine.cache.folder)
    assert names_in(binary.parent) == {"pulumi"}


def test_only_the_plugin_that_is_missing_is_ours(machine: Machine) -> None:
    binary = machine.on_path("half", "v3.300.0", plugins=[LANGUAGE])
    made = ensure_pulumi(machine.environ, ways=())
    assert names_in(made.binary.parent) == {"pulumi", DYNAMIC}
    assert made.bin_folders == (made.binary.parent, binary.parent)


def test_what_another_environment_has_put_on_path_is_not_taken_for_official(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.in_cache("v3.259.0")
    mine = ensure_pulumi(machine.environ, ways=())
    with monkeypatch.context() as other:
        other.setattr(sys, "executable", "/elsewhere/bin/python")
        theirs = ensure_pulumi(machine.environ, ways=())
    assert theirs.binary != mine.binary
    machine.path.append(theirs.binary.parent)
    assert find_pulumi(machine.environ) == mine


def test_an_environment_has_one_bundle_by_whatever_name_its_python_is_started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.in_cache("v3.259.0")
    made = ensure_pulumi(machine.environ, ways=())
    other_name = Path(sys.prefix, "bin", "python3")
    assert other_name.exists()
    monkeypatch.setattr(sys, "executable", str(other_name))
    assert find_pulumi(machine.environ) == made


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_launcher_that_is_not_as_it_should_be_is_written_again(machine: Machine, plugin: str) -> None:
    machine.in_cache("v3.259.0")
    launcher = ensure_pulumi(machine.environ, ways=()).binary.parent / plugin
    text = launcher.read_text()
    launcher.write_text("something older")
    assert find_pulumi(machine.environ) is None
    ensure_pulumi(machine.environ, ways=())
    assert launcher.read_text() == text


def test_the_cli_is_copied_where_it_cannot_be_linked(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: Path, _target: Path) -> None:
        raise OSError("another file system")

    original = machine.in_cache("v3.259.0")
    monkeypatch.setattr(os, "link", refuse)
    made = ensure_pulumi(machine.environ, ways=())
    assert not made.binary.samefile(original)
    assert made.binary.read_bytes() == original.read_bytes()
    assert os.access(made.binary, os.X_OK)
