"""What differs between two environments, however each of them is written."""

from __future__ import annotations

from pathlib import Path

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
