"""Entries that are made: templates with parameters, and one entry for each of many values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.stack import TABLES, MadeEntry
from prism_iac.spec import composed, explain, load_stack, validate_stack
from prism_iac.spec._compose import compose
from prism_iac.spec._expand import expand
from prism_iac.spec._tree import plain
from prism_iac.spec.lock import restate_checksums

BASE = """\
workspace: lab
variables:
  sites: {type: list, default: [eu, us]}
participants:
  ada: {user: ada}
templates:
  worker:
    parameters:
      vcpus: {type: integer, default: 2}
      memory: {type: integer}
    entry:
      provider: local
      vcpus: ${param.vcpus}
      limits: {memory_mib: "${param.memory}", processes: 9}
vms:
  "worker-${each.site}":
    for_each: {site: "${var.sites}"}
    template: worker
    values: {memory: 512}
  single:
    template: worker
    values: {memory: 1024, vcpus: 4}
    limits: {processes: 5}
"""


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    return Path("base.yaml")


def dev(text: str) -> Path:
    Path("dev.yaml").write_text(f"extends: base.yaml\nenvironment: dev\n{text}")
    return Path("dev.yaml")


def vms(path: Path) -> dict[str, Any]:
    shown: dict[str, Any] = composed(path)["vms"]
    return shown


def test_values_take_the_place_of_parameters_and_an_entrys_own_fields_go_over_the_templates() -> None:
    assert vms(dev("")) == {
        "worker-eu": {"provider": "local", "vcpus": 2, "limits": {"memory_mib": 512, "processes": 9}},
        "worker-us": {"provider": "local", "vcpus": 2, "limits": {"memory_mib": 512, "processes": 9}},
        "single": {"provider": "local", "vcpus": 4, "limits": {"memory_mib": 1024, "processes": 5}},
    }
    assert "templates" not in composed(dev(""))


def test_an_environment_changes_values_templates_and_single_made_entries() -> None:
    over = dev(
        "variables: {sites: {value: [eu, us, ap]}}\n"
        "templates: {worker: {entry: {platform: tdx}}}\n"
        "vms: {single: {values: {vcpus: 8}}, worker-eu: {vcpus: 1}, worker-us: null}\n"
    )
    assert {name: (vm.get("platform"), vm["vcpus"]) for name, vm in vms(over).items()} == {
        "worker-eu": ("tdx", 1),
        "worker-ap": ("tdx", 2),
        "single": ("tdx", 8),
    }


def test_every_combination_of_lists_or_each_of_the_mappings_makes_an_entry() -> None:
    over = dev(
        "vms:\n"
        "  '${each.a}-${each.b}': {for_each: {a: [x, y], b: [1, 2]}, provider: external, vcpus: '${each.b}'}\n"
        "  'listed-${each.n}': {for_each: [{n: p, cpus: 3}, {n: q, cpus: 4}], provider: external, vcpus: '${each.cpus}'}\n"
    )
    found = {name: vm["vcpus"] for name, vm in vms(over).items()}
    assert found.items() >= {"x-1": 1, "x-2": 2, "y-1": 1, "y-2": 2, "listed-p": 3, "listed-q": 4}.items()


def test_no_value_makes_no_entry_and_what_is_escaped_stands_for_itself() -> None:
    over = dev(
        "variables: {sites: {value: []}}\n"
        "certificates: {tls: {common_name: '$${each.site} $${param.x}', key: {algorithm: ecdsa}}}\n"
    )
    assert [*vms(over)] == ["single"]
    assert composed(over)["certificates"]["tls"]["common_name"] == "${each.site} ${param.x}"


def test_the_origin_of_a_made_value_is_its_line_in_the_template_and_the_use_of_that() -> None:
    (vcpus,) = explain(dev(""), "vms.worker-us.vcpus")
    assert (vcpus.counts.value, str(vcpus.counts.place)) == (2, "base.yaml:13:14")
    assert (vcpus.counts.template, str(vcpus.counts.used_at)) == ("worker", "base.yaml:16:3")
    (processes,) = explain(dev(""), "vms.single.limits.processes")
    assert [(item.value, str(item.place), item.template) for item in processes.settings] == [
        (9, "base.yaml:14:58", "worker"),
        (5, "base.yaml:23:25", None),
    ]
    assert not any("for_each" in origin.path or "${" in origin.path for origin in explain(dev(""), "vms"))


def test_a_mistake_of_a_template_is_told_once_at_its_line_with_a_use() -> None:
    over = dev("templates: {worker: {entry: {provider: lcoal}}}\nvms: {single: {provider: local}}\n")
    (finding,) = validate_stack(over)
    assert str(finding) == (
        'dev.yaml:3:40: vms.worker-eu.provider: must be one of the known words, not "lcoal" '
        "(template worker, used at base.yaml:16:3), and so in 1 more\n"
        '  Did you mean "local"?'
    )


def test_a_missing_parameter_of_many_entries_is_told_once() -> None:
    over = dev("templates: {worker: {parameters: {zone: {description: Where it is}}}}\nvms: {single: null}\n")
    (finding,) = validate_stack(over)
    assert (finding.path, finding.line) == ("vms.worker-eu", 16)
    assert finding.message == 'the parameter "zone" of the template worker is missing'


def test_a_checksum_that_several_entries_share_is_restated_on_its_one_line() -> None:
    entry = "{for_each: {n: [a, b]}, kind: dataset, provider: ada, checksum: OLD}"
    fit = "{algorithm: data-a, datasets: [data-b]}"
    over = dev(f"assets: {{'data-${{each.n}}': {entry}}}\ncomputations: {{fit: {fit}}}\n")
    new = "b" * 64
    texts = restate_checksums(over, ["fit"], {"data-a": new, "data-b": new})
    assert texts == {over: over.read_text().replace("OLD", new)}


def test_an_entry_whose_template_is_refused_is_still_there_for_those_who_name_it() -> None:
    over = dev("vms: {lost: {template: wroker}}\nattestation_policies: {p: {vm: lost}}\n")
    with pytest.raises(InvalidInput) as refused:
        load_stack(over)
    assert [finding.path for finding in refused.value.findings] == ["vms.lost.template"]


def test_no_entry_has_fields_of_the_names_that_make_entries() -> None:
    for model in TABLES.values():
        assert MadeEntry.model_fields.keys().isdisjoint(model.model_fields)


VALUES = st.integers(0, 9) | st.booleans() | st.text("ab$ {}.", max_size=4)
FIELDS = st.dictionaries(st.sampled_from(["one", "two", "three"]), VALUES, max_size=3)


@given(FIELDS, FIELDS)
def test_a_template_and_an_entrys_own_fields_come_to_the_fields_written_out(given_: Any, own: Any) -> None:
    """Whatever the values are: a value is never read as a reference, and nothing else changes."""
    quoted = {key: f"${{param.{key}}}" for key in given_}
    types = {bool: "boolean", int: "integer", str: "string"}
    document = {
        "templates": {
            "t": {
                "parameters": {key: {"type": types[type(item)]} for key, item in given_.items()},
                "entry": quoted,
            }
        },
        "vms": {"vm": {"template": "t", "values": given_, **own}},
    }
    root, findings = compose(yaml.safe_dump(document), "f.yaml")
    expansion = expand(root)
    assert not [*findings, *expansion.findings]
    assert plain(expansion.root)["vms"] == {"vm": {**given_, **own}}
