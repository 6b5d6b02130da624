"""What differs between two environments, however each of them is written."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_iac.promotion import differences_between
from prism_iac.spec import load_stack

TEMPLATE = """
workspace: lab
templates:
  worker: {parameters: {vcpus: {type: integer}}, entry: {provider: external, vcpus: "${param.vcpus}"}}
include: vms.yaml
"""


def test_what_is_made_is_compared_and_not_how_it_is_made(tmp_path: Path) -> None:
    def stack(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    stack("vms.yaml", "vms: {one: {template: worker, values: {vcpus: 2}}}\n")
    dev = load_stack(stack("dev.yaml", f"environment: dev{TEMPLATE}"))
    vms = "{one: {provider: external, vcpus: 4}}"
    prod = load_stack(stack("prod.yaml", f"environment: prod\nworkspace: lab\nvms: {vms}\n"))
    (found,) = differences_between(dev, prod)
    assert (found.field, found.source, found.target) == ("vms.one.vcpus", 2, 4)
    assert found.why == f"prod says so at {tmp_path}/prod.yaml:3:40"


NAMES = st.sampled_from(["one", "two", "three"])
VMS = st.dictionaries(
    NAMES, st.none() | st.fixed_dictionaries({}, optional={"vcpus": st.sampled_from([2, 4, 8])}), max_size=3
)
COUNTS = st.integers(0, 3)
TRIGGERS = st.fixed_dictionaries(
    {}, optional={"one": st.none() | COUNTS, "two": st.none() | COUNTS, "three": COUNTS}
)
OVERLAYS = st.fixed_dictionaries(
    {},
    optional={
        "vms": VMS,
        "computations": st.fixed_dictionaries({"fit": st.fixed_dictionaries({"triggers": TRIGGERS})}),
    },
)
BASE: dict[str, Any] = {
    "workspace": "lab",
    "participants": {"ada": {"user": "ada@example.com"}},
    "assets": {"code": {"kind": "algorithm", "provider": "ada", "checksum": "ab" * 32, "file_name": "c.py"}},
    "vms": {name: {"provider": "external", "vcpus": 2} for name in ("one", "two", "three")},
    "computations": {
        "fit": {
            "description": "Fits",
            "algorithm": "code",
            "result_consumers": ["ada"],
            "agent": {"tls": "none"},
            "triggers": {"one": 1, "two": 2},
        }
    },
}


def laid_over(below: Any, above: Any) -> Any:
    """A mapping with another one over it, where null removes."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    joined = {name: laid_over(below.get(name), above.get(name, below.get(name))) for name in {*below, *above}}
    return {name: value for name, value in joined.items() if value is not None}


def leaves(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Every value that is no mapping with something in it, by the way to it."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= (
            leaves(value, f"{above}{name}.")
            if isinstance(value, dict) and value
            else {f"{above}{name}": value}
        )
    return found


@pytest.mark.fault(67)
@settings(max_examples=100)
@given(overlays=st.tuples(OVERLAYS, OVERLAYS))
def test_what_differs_is_what_two_overlays_make_different(overlays: tuple[Any, Any]) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(json.dumps(BASE), encoding="utf-8")
        stacks = []
        for environment, overlay in zip(("dev", "staging"), overlays, strict=True):
            file = Path(folder, f"{environment}.yaml")
            said = {"extends": "base.yaml", "environment": environment, **overlay}
            file.write_text(json.dumps(said), encoding="utf-8")
            stacks.append(load_stack(file))
        found = {row.field: (row.source, row.target) for row in differences_between(*stacks)}
    said, says = (leaves(laid_over(BASE, overlay)) for overlay in overlays)
    names = {name for name in {*said, *says} if said.get(name) != says.get(name)}
    assert found == {name: (said.get(name), says.get(name)) for name in names}
