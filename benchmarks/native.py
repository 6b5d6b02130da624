"""Update, preview and refresh through the native plugin, in turns with a plugin whose resources do nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.engine import open_project, seconds
from benchmarks.figures import Figure, compare
from prism_iac.prism import start_embedded
from tests.engine.project import Project

__all__ = ["measure"]

_AT_MOST: Final = 1.15
_SIZES: Final = ((200, 2, 5), (1000, 1, 3))
"""How many computations, and how often an update and the others are measured."""

_QUICK_SIZES: Final = ((20, 1, 1),)

# As a package that is generated from the schema declares them.
_PROGRAM: Final = """\
import pulumi

for number in range({size}):
    pulumi.CustomResource(
        "{kind}",
        f"computation-{{number}}",
        dict(
            description=f"Linear regression number {{number}} over the measurements of one laboratory",
            agent=dict(logLevel="info"),
            {more}
        ),
    )
"""
_COMPLETED: Final = """
            identity=f"{number:012}.1", workspace="benchmark", name=f"computation-{number}", datasets=[],
            resultConsumers=[], stopOnDelete=False, exportDirectory=".prism/exports",
"""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Every verb at every size."""
    for size, ups, others in _QUICK_SIZES if quick else _SIZES:
        times = [_up(size) for _ in range(ups - 1)]
        with _subject(size) as subject, _reference(size) as reference:
            times.append((seconds(subject, "up"), seconds(reference, "up")))
            yield compare(f"native: up of {size}", *zip(*times, strict=True), at_most=_AT_MOST)
            for verb in ("preview", "refresh"):
                times = [(seconds(subject, verb), seconds(reference, verb)) for _ in range(others)]
                name = f"native: {verb} of {size} without a change"
                yield compare(name, *zip(*times, strict=True), at_most=_AT_MOST)


def _up(size: int) -> tuple[float, float]:
    with _subject(size) as subject, _reference(size) as reference:
        return seconds(subject, "up"), seconds(reference, "up")


@contextmanager
def _subject(size: int) -> Iterator[Project]:
    with open_project() as project, start_embedded(project.folder / ".prism"):
        project.program(_PROGRAM.format(kind="prism:index:Computation", size=size, more=""))
        yield project


@contextmanager
def _reference(size: int) -> Iterator[Project]:
    with open_project() as project:
        plugin = project.write(
            "plugins/pulumi-resource-noop",
            f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("noop_plugin.py")} "$@"\n',
        )
        plugin.chmod(0o755)
        project.environ["PATH"] = f"{plugin.parent}{os.pathsep}{project.environ['PATH']}"
        project.program(_PROGRAM.format(kind="noop:index:Noop", size=size, more=_COMPLETED))
        yield project
