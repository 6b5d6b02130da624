"""Update, preview and refresh of computations, in turns with as many resources that do nothing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, compare, count, seconds_of
from benchmarks.gateway import open_gateway
from prism_iac.prism import find_embedded, start_embedded
from prism_iac.toolchain import ensure_pulumi
from tests.engine.project import Project

__all__ = ["WORKSPACE", "measure", "noop_program", "open_project", "seconds", "use_endpoint"]

WORKSPACE: Final = "benchmark"
_TIME_LIMIT_SECONDS: Final = 1800.0
_UP_AT_MOST: Final = 1.25
_PREVIEW_AT_MOST: Final = 1.15
_RECORDS_A_PAGE: Final = 100
_CALLS_BESIDES_PAGES: Final = 8
"""Login, workspace, user, and what the two lists of a refresh cost when they are short."""

_PROGRAM: Final = """\
import prism_iac

for number in range({size}):
    prism_iac.Computation(
        f"computation-{{number}}",
        description=f"Linear regression number {{number}} over the measurements of one laboratory",
        agent={{"log_level": "info"}},
    )
"""

_NOOP_PROGRAM: Final = """\
import noop

for number in range({size}):
    noop.Noop(
        f"computation-{{number}}",
        dict(
            identity=f"{{number:012}}.1",
            workspace="benchmark",
            name=f"computation-{{number}}",
            description=f"Linear regression number {{number}} over the measurements of one laboratory",
            datasets=[],
            result_consumers=[],
            agent=dict(tls="none", log_level="info", attested_tls=False),
            stop_on_delete=False,
            export_directory=".prism/exports",
        ),
    )
"""


@dataclass(frozen=True)
class _Rounds:
    """How often each verb is measured at a size."""

    size: int
    ups: int
    others: int


_FULL: Final = (_Rounds(10, 3, 7), _Rounds(200, 2, 5), _Rounds(1000, 1, 3))
_QUICK: Final = (_Rounds(10, 1, 1), _Rounds(50, 1, 1))


def measure(*, quick: bool) -> Iterator[Figure]:
    """Every verb at every size, and how many calls the backend gets."""
    for rounds in _QUICK if quick else _FULL:
        yield from _measure(rounds)


def _measure(rounds: _Rounds) -> Iterator[Figure]:
    size = rounds.size
    ups: list[tuple[float, float]] = []
    for _ in range(rounds.ups - 1):
        with _subject(size) as subject, _reference(size) as reference:
            ups.append((seconds(subject, "up"), seconds(reference, "up")))
    with _subject(size) as subject, _reference(size) as reference:
        ups.append((seconds(subject, "up"), seconds(reference, "up")))
        yield compare(f"up of {size}", *zip(*ups, strict=True), at_most=_UP_AT_MOST)
        for verb, limit in (("preview", _PREVIEW_AT_MOST), ("refresh", None)):
            times = [(seconds(subject, verb), seconds(reference, verb)) for _ in range(rounds.others)]
            yield compare(f"{verb} of {size} without a change", *zip(*times, strict=True), at_most=limit)
        yield from _count_calls(subject, size)


def _count_calls(project: Project, size: int) -> Iterator[Figure]:
    embedded = find_embedded(project.folder / ".prism")
    assert embedded is not None
    with embedded, open_gateway(embedded.endpoint) as gateway:
        use_endpoint(
            project, gateway.endpoint, embedded.accounts.admin.username, embedded.accounts.admin.password
        )
        seconds(project, "up")  # a refresh takes the address from the last update
        gateway.calls.clear()
        seconds(project, "preview", "--expect-no-changes")
        yield count(f"backend calls of a preview of {size}", len(gateway.calls), at_most=0)
        seconds(project, "refresh", "--expect-no-changes")
        assert gateway.calls, "the refresh went another way"
        yield count(
            f"backend calls of a refresh of {size}",
            len(gateway.calls),
            at_most=size // _RECORDS_A_PAGE + _CALLS_BESIDES_PAGES,
        )


def seconds(project: Project, verb: str, *arguments: str) -> float:
    """How long a command of the engine takes, without the event log that tests read."""
    confirmed = () if verb == "preview" else ("--yes", "--skip-preview")
    command = ("pulumi", verb, *confirmed, "--non-interactive", "--suppress-progress", *arguments)
    return seconds_of(
        lambda: subprocess.run(
            command,
            cwd=project.folder,
            env=project.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=_TIME_LIMIT_SECONDS,
        )
    )


def use_endpoint(project: Project, endpoint: str, username: str, password: str) -> None:
    """Point a project at a Prism by its address, as one points it at a hosted one."""
    project.set_config("prism:endpoint", endpoint)
    project.set_config("prism:username", username)
    project.set_config("prism:password", password, secret=True)


@contextmanager
def _subject(size: int) -> Iterator[Project]:
    with open_project() as project:
        project.program(_PROGRAM.format(size=size))
        with start_embedded(project.folder / ".prism"):
            yield project


@contextmanager
def _reference(size: int) -> Iterator[Project]:
    with open_project() as project:
        project.program(noop_program(size))
        yield project


def noop_program(size: int) -> str:
    """A program of so many resources that do nothing, with the inputs that a computation ends up with."""
    return _NOOP_PROGRAM.format(size=size)


@contextmanager
def open_project() -> Iterator[Project]:
    """An empty project in a temporary folder; whatever it has started is killed afterwards."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        project = Project(folder / "project", ensure_pulumi())
        closing.callback(project.close)
        # Tests forbid it; users have compiled modules.
        project.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        project.write("noop.py", Path(__file__).with_name("noop.py").read_text("utf-8"))
        project.set_config("prism:workspace", WORKSPACE)
        yield project
