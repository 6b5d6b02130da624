from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from prism_iac.errors import RemoteFailure
from prism_iac.toolchain import PulumiUnavailable, ensure_pulumi
from prism_iac.toolchain._command import CommandFailed, Report
from prism_iac.toolchain._ensure import WAYS, Way
from prism_iac.toolchain._launchers import PLUGINS
from tests.unit.toolchain.machine import Machine, write_cli


def obtaining(version: str) -> Way:
    def obtain(root: Path, _environ: Mapping[str, str], _report: Report) -> None:
        write_cli(root / "bin", version, PLUGINS)

    return Way(f"a way to {version}", obtain)


def failing(reason: str) -> Way:
    def obtain(_root: Path, _environ: Mapping[str, str], _report: Report) -> None:
        raise CommandFailed(reason)

    return Way("a way that fails", obtain)


def never() -> Way:
    def obtain(_root: Path, _environ: Mapping[str, str], _report: Report) -> None:
        raise AssertionError("this way must not be tried")

    return Way("a way too many", obtain)


def test_the_official_installer_is_tried_before_a_build() -> None:
    assert [way.name for way in WAYS] == ["the official installer", "a build from its public Go module"]


def test_nothing_is_obtained_when_there_is_a_cli(machine: Machine) -> None:
    binary = machine.on_path("official", "v3.300.0")
    assert ensure_pulumi(machine.environ, ways=[never()]).binary == binary


def test_the_first_way_that_works_fills_the_cache(machine: Machine) -> None:
    ways = [failing("no network"), obtaining("v3.272.0"), never()]
    obtained = ensure_pulumi(machine.environ, ways=ways)
    assert obtained.binary == machine.cache.folder / "v3.272.0" / "bin" / "pulumi"
    assert ensure_pulumi(machine.environ, ways=[never()]) == obtained


def test_each_failure_is_reported_and_the_error_lists_all_that_was_tried(machine: Machine) -> None:
    said: list[str] = []
    with pytest.raises(PulumiUnavailable) as caught:
        ensure_pulumi(machine.environ, report=said.append, ways=[failing("no network"), failing("no\ngo")])
    assert isinstance(caught.value, RemoteFailure)
    assert caught.value.retry_is_safe
    assert said == ["a way that fails did not work"] * 2
    assert str(caught.value).splitlines() == [
        "there is no Pulumi CLI and none could be had; tried:",
        f"    PATH and {machine.cache.folder}: no Pulumi of version 3.216.0 or newer, below 4.0.0",
        "    a way that fails: no network",
        "    a way that fails: no",
        "      go",
        (
            "  Install Pulumi 3.216.0 or newer so that `pulumi version` works, or Go 1.25.11 or newer with "
            "access to a Go module proxy (GOPROXY), and try again."
        ),
    ]


@pytest.mark.parametrize("version", ["v3.100.0", "v4.0.0", ""])
def test_a_way_that_leaves_a_cli_that_does_not_serve_has_failed(machine: Machine, version: str) -> None:
    with pytest.raises(PulumiUnavailable, match="calls itself"):
        ensure_pulumi(machine.environ, ways=[obtaining(version)])
    assert machine.cache.versions() == []


def test_an_interrupted_attempt_leaves_nothing(machine: Machine) -> None:
    def interrupt(root: Path, _environ: Mapping[str, str], _report: Report) -> None:
        write_cli(root / "bin", "v3.272.0", PLUGINS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_pulumi(machine.environ, ways=[Way("interrupted", interrupt)])
    assert [path.name for path in machine.cache.folder.iterdir()] == [".lock"]
    assert str(ensure_pulumi(machine.environ, ways=[obtaining("v3.272.0")]).version) == "3.272.0"


def test_of_several_who_ask_at_once_one_obtains(machine: Machine) -> None:
    askers = 4
    together = Barrier(askers)
    obtained: list[Path] = []
    waited: list[str] = []

    def obtain(root: Path, environ: Mapping[str, str], report: Report) -> None:
        obtained.append(root)
        obtaining("v3.272.0").obtain(root, environ, report)

    def ask(report: Callable[[str], None]) -> Path:
        together.wait()
        return ensure_pulumi(machine.environ, report=report, ways=[Way("counted", obtain)]).binary

    with ThreadPoolExecutor(askers) as pool:
        answers = set(pool.map(ask, [waited.append] * askers))
    assert len(answers) == 1
    assert len(obtained) == 1


def test_who_waits_for_another_process_says_so(machine: Machine) -> None:
    said: list[str] = []
    cache = machine.cache
    with ThreadPoolExecutor(1) as pool:
        with cache.locked(on_wait=pytest.fail):
            asked = pool.submit(
                ensure_pulumi, machine.environ, report=said.append, ways=[obtaining("v3.272.0")]
            )
            while not said:
                assert not asked.done()
        asked.result()
    assert said == ["waiting for another process that obtains Pulumi"]
