from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.spec import composed, load_stack

BASE = """
environment: dev
workspace: lab-${var.region}
variables:
  region: {default: eu}
  vcpus: {type: integer, default: 2}
  names: {type: list, default: [localhost]}
  wait: {type: boolean}
vms:
  trainer: {provider: external, vcpus: "${var.vcpus}"}
certificates:
  tls: {common_name: "agent $${var.region}", dns_names: "${var.names}", key: {algorithm: ecdsa}}
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.yaml"
    path.write_text(BASE)
    return path


def test_a_variable_keeps_its_type_where_it_stands_alone_and_is_text_within_one(base: Path) -> None:
    stack = load_stack(base)
    assert stack.workspace == "lab-eu"
    assert stack.vms["trainer"].settings.vcpus == 2
    assert stack.certificates["tls"].settings.dns_names == ("localhost",)


def test_an_environment_sets_what_a_base_declares(base: Path) -> None:
    over = base.with_name("prod.yaml")
    over.write_text("extends: base.yaml\nvariables: {region: {value: us}, vcpus: {value: 8}}\n")
    stack = load_stack(over)
    assert (stack.workspace, stack.vms["trainer"].settings.vcpus) == ("lab-us", 8)


def test_what_is_escaped_stands_for_itself(base: Path) -> None:
    assert composed(base)["certificates"]["tls"]["common_name"] == "agent ${var.region}"


def test_a_finding_about_a_value_points_at_its_reference(base: Path) -> None:
    over = base.with_name("prod.yaml")
    over.write_text("extends: base.yaml\nvariables: {vcpus: {value: 0}}\n")
    with pytest.raises(Exception, match=r"base\.yaml:10:40: vms\.trainer\.vcpus"):
        load_stack(over)
