"""The agent's code in a guest finds the libraries that it imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires

from packaging.requirements import Requirement

from prism_iac.hypervisor.qemu.guest._python import LIBRARIES, agent_files

IMPORT_ALL_WITHOUT = """
import importlib, json, sys

modules, absent = json.load(sys.stdin)
sys.modules.update(dict.fromkeys(absent))
for name in modules:
    importlib.import_module(name)
"""


def _modules() -> Iterator[str]:
    for file in agent_files():
        if file.suffix == ".py" and file.name != "__main__.py":
            yield ".".join(("prism_iac", *file.with_suffix("").parts)).removesuffix(".__init__")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _in_the_guest() -> set[str]:
    found = {"prism-iac"}
    left = list(LIBRARIES)
    while left:
        name = _canonical(left.pop())
        if name not in found:
            found.add(name)
            needed = (Requirement(line) for line in requires(name) or ())
            left += [
                item.name for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})
            ]
    return found


def _absent_from_the_guest() -> list[str]:
    there = _in_the_guest()
    return [
        package
        for package, providers in packages_distributions().items()
        if there.isdisjoint(map(_canonical, providers))
    ]


def test_every_module_of_the_agent_finds_its_libraries_in_the_guest() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL_WITHOUT],
        check=False,
        input=json.dumps([list(_modules()), _absent_from_the_guest()]),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
