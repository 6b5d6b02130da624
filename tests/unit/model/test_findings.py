from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Location, findings_of, nearest, path_text, shown
from prism_iac.model.resources import CertificateBundle, ConfidentialVM, ResourceModel


def refuse(model: type[ResourceModel], **properties: Any) -> list[Finding]:
    with pytest.raises(InvalidInput) as refused:
        model.parse(properties)
    return list(refused.value.findings)


def test_every_mistake_is_told_with_its_path_and_a_fix() -> None:
    findings = refuse(
        ConfidentialVM, workspace=3, platfrom="tdx", provider="gpc", vcpus=0, limits={"memory_mib": "x"}
    )
    assert findings == [
        Finding(
            path="limits.memory_mib",
            message='must be a whole number, not "x"',
            fix="Write a number such as 4.",
        ),
        Finding(path="platfrom", message='there is no field "platfrom" here', fix='Did you mean "platform"?'),
        Finding(
            path="provider", message='must be one of the known words, not "gpc"', fix='Did you mean "gcp"?'
        ),
        Finding(path="vcpus", message="must be at least 1, not 0", fix="Write 1 or more."),
        Finding(path="workspace", message="must be text, not 3", fix="Put it in quotes."),
    ]


def test_a_rule_that_spans_fields_points_at_the_one_to_change() -> None:
    (finding,) = refuse(CertificateBundle, validity="10d")
    assert finding.path == "renew_before"


def test_outputs_are_not_offered_as_fields() -> None:
    (finding,) = refuse(ConfidentialVM, workspace="w", colour="red")
    assert "limits" in finding.fix
    assert "agent_address" not in finding.fix


def test_the_memory_of_a_vm_is_told_where_it_belongs() -> None:
    (finding,) = refuse(ConfidentialVM, workspace="w", memory=4096)
    assert "limits" in finding.fix


def test_secret_values_are_not_shown() -> None:
    (finding,) = refuse(CertificateBundle, ca_key=["hunter2"])
    assert finding.path == "ca_key"
    assert finding.message == "must be text"
    assert "hunter2" not in str(finding)


def test_findings_can_lie_within_a_larger_document() -> None:
    asked: list[tuple[Location, bool]] = []

    def locate(location: Location, *, at_name: bool) -> tuple[str, int, int]:
        asked.append((location, at_name))
        return "stack.yaml", len(location), 1

    with pytest.raises(ValidationError) as refused:
        ConfidentialVM.model_validate({"workspace": "w", "vcpus": None, "ram": 1})
    told = findings_of(refused.value, ConfidentialVM, within=("vms", "trainer"), locate=locate)
    assert [str(finding).split("\n", 1)[0] for finding in told.findings] == [
        'stack.yaml:3:1: vms.trainer.ram: there is no field "ram" here',
        "stack.yaml:3:1: vms.trainer.vcpus: must be a whole number, but is empty",
    ]
    assert set(asked) == {(("vms", "trainer", "vcpus"), False), (("vms", "trainer", "ram"), True)}


@pytest.mark.parametrize(
    ("word", "choices", "sentence"),
    [
        ("irs", ["iris", "petals"], 'Did you mean "iris"?'),
        ("zzz", ["petals", "iris"], "Choose one of: iris, petals."),
        ("zzz", [], ""),
    ],
)
def test_a_near_choice_is_named_before_all_are_listed(word: str, choices: list[str], sentence: str) -> None:
    assert nearest(word, choices) == sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "empty"),
        (True, "true"),
        (4.5, "4.5"),
        ("a\nb\x1b", '"a\\nb\\x1b"'),
        ("x" * 70, f'"{"x" * 60}..."'),
        ({"a": 1}, "a mapping"),
        ([1], "a list"),
    ],
)
def test_values_are_shown_on_one_line_and_shortened(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_path_reads_like_the_file() -> None:
    assert path_text(("computations", "iris", "datasets", 0)) == "computations.iris.datasets[0]"
