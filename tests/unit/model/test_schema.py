from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, RemoteSource
from prism_iac.model.resources import KINDS
from prism_iac.model.schema import generate, schemas
from prism_iac.model.schema._json_schema import file_stem
from prism_iac.spec._compose import compose
from prism_iac.spec._tree import plain
from tests.engine.documents.blocks import blocks_of
from tests.unit.model.test_kinds import EXAMPLES

ROOT = Path(__file__).parents[3]
BROKEN = ROOT / "tests" / "unit" / "spec" / "broken"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schemas()[name], format_checker=FormatChecker())


@pytest.mark.parametrize("path", sorted(generate(ROOT)), ids=lambda path: path.name)
def test_generated_files_are_what_make_generate_writes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate(ROOT)[path], "run `make generate`"


def test_no_file_stands_among_the_generated_ones_that_is_not_generated() -> None:
    there = {*(ROOT / "schemas").iterdir(), *(ROOT / "docs" / "reference").iterdir()}
    made_by_other_rooms = {ROOT / "docs" / "reference" / "cli.md", ROOT / "schemas" / "plan.schema.json"}
    assert there == {*generate(ROOT), *made_by_other_rooms}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_models_give_the_same_bytes(seed: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "prism_iac.model.schema"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
    )
    for path, text in generate(tmp_path).items():
        assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_schema_is_a_schema_and_describes_every_field(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    for nested in (schema, *schema.get("$defs", {}).values()):
        for field, properties in nested.get("properties", {}).items():
            assert properties.get("description"), field


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_tells_the_change_rule_of_every_input(kind: str) -> None:
    model, schema = KINDS[kind], schemas()[file_stem(kind)]
    assert list(schema["properties"]) == list(model.input_names())
    told = {name: field["x-change"] for name, field in schema["properties"].items()}
    assert told == {name: model.rules()[name].change.value for name in model.input_names()}


def test_a_schema_tells_what_is_secret() -> None:
    agent = schemas()["computation"]["$defs"]["AgentConfig"]["properties"]
    assert [name for name, field in agent.items() if field.get("x-secret")] == ["server_key"]
    assert agent["server_key"]["writeOnly"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_canonical_inputs_fit_their_schema(kind: str) -> None:
    inputs = KINDS[kind].parse(EXAMPLES[kind]).inputs()
    inputs.pop("identity")
    validator(file_stem(kind)).validate(inputs)
    assert not validator(file_stem(kind)).is_valid({**inputs, "colour": "red"})


STACK_FILES = [
    path
    for folder in (ROOT / "stacks", ROOT / "prism_iac" / "cli" / "init" / "template" / "stacks")
    for path in folder.glob("*.yaml")
    if not path.name.startswith("Pulumi.")
]
OTHER_FILES = {"Pulumi.yaml", "trust.yaml"}
"""What documentation shows of YAML that is no stack file."""


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_stack_file_fits_the_schema_that_it_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/stack.schema.json\n")
    validator("stack").validate(yaml.safe_load(text))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_stack_file_of_the_documentation_fits_the_schema(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "yaml" and block.file_name not in OTHER_FILES:
            root, _ = compose(block.text, page.name)
            validator("stack").validate(plain(root))


COMPLETE: dict[str, Any] = {"environment": "dev", "workspace": "lab"}
MADE = {"for_each": {"site": ["eu"]}, "vcpus": "${each.cpus}"}


@pytest.mark.parametrize(
    ("document", "is_fitting"),
    [
        ({"participants": {"ada": {}}}, True),
        ({**COMPLETE, "participants": {"ada": {}}}, False),
        (
            {"environment": "dev", "extends": "base.yaml", "participants": {"ada": {}}, "vms": {"a": None}},
            True,
        ),
        ({"extends": "base.yaml", "certificates": {"a": {"validity": None, "key": None}}}, True),
        ({**COMPLETE, "vms": {"a": None}}, False),
        ({**COMPLETE, "participants": {"ada": {"template": "t", "values": {"a": 1}}}}, True),
        ({**COMPLETE, "participants": {"ada": {"template": "t", "vlaues": {"a": 1}}}}, False),
        ({**COMPLETE, "vms": {"a-${each.site}": MADE}}, True),
        ({**COMPLETE, "vms": {"a": {"vcpus": "two"}}}, False),
        ({**COMPLETE, "templates": {"t": {"entry": {"vcpus": "${param.vcpus}"}}}}, True),
        ({**COMPLETE, "templates": {"t": {"entry": {"vpcus": 2}}}}, False),
        ({**COMPLETE, "include": ["computations/*.yaml"]}, True),
    ],
)
def test_an_editor_sees_parts_references_and_templates_as_the_loader_does(
    document: Any, *, is_fitting: bool
) -> None:
    assert validator("stack").is_valid(document) is is_fitting


@pytest.mark.parametrize(
    "case",
    [
        "unknown-fields",
        "wrong-types",
        "empty-values",
        "bad-names",
        "unknown-words",
        "durations",
        "endpoint-with-credentials",
        "endpoint-without-scheme",
        "no-algorithm-no-consumer",
        "checksums-that-are-none",
        "memory-of-a-vm",
        "actions",
    ],
)
def test_an_editor_with_the_schema_sees_mistakes_of_shape(case: str) -> None:
    (folder,) = BROKEN.glob(f"*-{case}")
    document = yaml.safe_load((folder / "stack.yaml").read_text(encoding="utf-8"))
    assert not validator("stack").is_valid(document)


def test_a_manifest_fits_its_schema() -> None:
    manifest = Manifest(
        id="1",
        name="fit",
        description="",
        algorithm=ManifestAlgorithm(bytes(32), b"key"),
        datasets=(ManifestDataset(bytes(32), b"key", "iris.csv"),),
        result_consumers=(b"key",),
    ).to_json()
    validator("manifest").validate(manifest)
    for spoilt in (
        {**manifest, "algorithm": {}},
        {**manifest, "algorithm": {"hash": [0] * 31}},
        {**manifest, "datasets": [{"hash": [256] * 32}]},
        {key: value for key, value in manifest.items() if key != "algorithm"},
    ):
        assert not validator("manifest").is_valid(spoilt)


def test_a_manifest_with_sources_fits_its_schema() -> None:
    key = {"encrypted": True, "kbs_url": "https://kbs.example.com", "kbs_resource_path": "default/key/iris"}
    how = {"runtime": "bin", "arguments": ["--fast"]}
    manifest = Manifest(
        id="1",
        name="fit",
        description="",
        algorithm=ManifestAlgorithm(
            bytes(32), b"key", RemoteSource.model_validate({"url": "s3://lab/fit", **how})
        ),
        datasets=(
            ManifestDataset(
                bytes(32), b"key", "a", RemoteSource.model_validate({"url": "s3://lab/iris", **key})
            ),
        ),
    ).to_json()
    validator("manifest").validate(manifest)
    (dataset,), algorithm = manifest["datasets"], manifest["algorithm"]
    for spoilt in (
        {**manifest, "algorithm": {**algorithm, "algo_args": "--fast"}},
        {**manifest, "algorithm": {**algorithm, "source": "s3://lab/fit"}},
        {**manifest, "datasets": [{**dataset, "kbs": {"enabled": "true"}}]},
        {**manifest, "datasets": [{**dataset, "decompress": "true"}]},
    ):
        assert not validator("manifest").is_valid(spoilt)


def test_sources_for_the_readers_of_the_code_do_not_reach_the_users() -> None:
    for path, text in generate(ROOT).items():
        assert ".md section" not in text, path
