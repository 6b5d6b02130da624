"""The manifest as it is rendered from a stack file, and as the real backend returns it."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from prism_iac.lifecycle import Live
from prism_iac.model import Manifest, sha3_256_of_path
from prism_iac.model.resources import Computation, KeyAlgorithm
from prism_iac.model.schema import schemas
from prism_iac.pki import generate_key_pair
from prism_iac.prism import workspace_alias
from prism_iac.spec import load_stack
from prism_iac.spec.lock import render_manifest
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage

STACK = """\
environment: dev
workspace: WORKSPACE
participants:
  ada: {user: ada@example.com, public_key: ada@example.com.pem}
  grace: {user: grace@example.com, public_key: grace@example.com.pem}
  eve: {user: eve@example.com, public_key: eve@example.com.pem}
assets:
  addition: {kind: algorithm, provider: grace, file: addition.py}
  numbers: {kind: dataset, provider: ada, file: numbers.txt}
  letters: {kind: dataset, provider: ada, file: letters}
  product:
    kind: algorithm
    provider: grace
    checksum: "abababababababababababababababababababababababababababababababab"
    source: {url: "docker://registry.example.com/lab/product@sha256:abababababababababababababababababababababababababababababababab"}
    runtime: wasm
    arguments: [--fast, "<1>"]
  sealed:
    kind: dataset
    provider: ada
    file: numbers.txt
    file_name: sealed.txt
    source:
      url: s3://lab/numbers.sealed
      encrypted: true
      kbs_url: https://kbs.example.com/
      kbs_resource_path: kbs:///default/key/numbers
  packed:
    kind: dataset
    provider: ada
    checksum: "abababababababababababababababababababababababababababababababab"
    source: {url: "https://data.example.com/packed.zip", decompress: true}
computations:
  sum:
    description: "adds <numbers> & more"
    algorithm: addition
    datasets: [numbers, letters]
    result_consumers: [ada, eve, grace]
    agent: {tls: none}
  multiply:
    description: "multiplies"
    algorithm: product
    datasets: [packed, sealed]
    result_consumers: [ada]
    agent: {tls: none}
"""


def test_a_rendered_manifest_is_what_the_backend_returns_once_all_exists(
    stage: Stage, numbers: Path, addition: Path, tmp_path: Path
) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "a.txt").write_text("a\n")
    stack = load_stack(written_stack(stage, tmp_path))
    portable = render_manifest(stack.computations["sum"], stack)
    alias = workspace_alias(stage.workspace_name)
    rendered = portable.deployed("Computation-sum.0", workspace_alias=alias)

    computation = stage.create(
        "Computation",
        "sum",
        name="sum",
        description="adds <numbers> & more",
        algorithm=stage.algorithm(addition).id,
        datasets=[stage.dataset(numbers).id],
        result_consumers=[EVE],
    )
    stage.register_keys(computation, EVE, GRACE)
    assert returned(stage, computation) != rendered
    # Its parts come later and in another order than the file has them.
    computation = stage.update(
        computation,
        datasets=[stage.dataset(letters).id, stage.dataset(numbers).id],
        result_consumers=[GRACE, EVE, ADA],
    )
    stage.register_keys(computation, ADA)
    seen = stage.read(computation)
    assert seen is not None
    assert seen.state.manifest == rendered.canonical_bytes().decode()
    assert seen.state.manifest_sha3_256 == rendered.digest().hex()
    assert returned(stage, computation).portable() == portable
    assert portable.datasets[0].hash == sha3_256_of_path(letters)


@pytest.mark.usefixtures("numbers", "addition")
def test_sources_are_rendered_as_the_backend_returns_them(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    stack = load_stack(written_stack(stage, tmp_path))
    declared = stack.computations["multiply"]
    portable = render_manifest(declared, stack)
    assets = {
        item.name: stage.create(
            "Asset",
            item.name,
            asset_type=item.kind,
            provider=item.provider.user,
            description=item.description,
            file=str(item.file) if item.file else None,
            checksum=item.checksum,
            file_name=item.file_name,
            source=item.source.to_json() if item.source else None,
        ).id
        for item in (declared.algorithm, *declared.datasets)
    }
    computation = stage.computation(
        "multiply",
        description="multiplies",
        algorithm=assets.pop("product"),
        datasets=list(assets.values()),
        result_consumers=[ADA],
    )
    stage.register_keys(computation, ADA, GRACE)
    rendered = portable.deployed(
        "Computation-multiply.0", workspace_alias=workspace_alias(stage.workspace_name)
    )
    assert returned(stage, computation).canonical_bytes() == rendered.canonical_bytes()
    packed, sealed = rendered.to_json()["datasets"]
    assert packed["source"] == {"url": "https://data.example.com/packed.zip"}
    assert (packed["filename"], packed["decompress"], packed["kbs"]) == (
        "packed.zip",
        True,
        {"enabled": True},
    )
    assert sealed["source"] == {
        "url": "s3://lab/numbers.sealed",
        "kbs_resource_path": "default/key/numbers",
        "encrypted": True,
    }
    assert sealed["kbs"] == {"url": "https://kbs.example.com", "enabled": True}
    algorithm = rendered.to_json()["algorithm"]
    assert (algorithm["algo_type"], algorithm["algo_args"]) == ("wasm", ["--fast", "<1>"])
    Draft202012Validator(schemas()["manifest"]).validate(rendered.to_json())


def written_stack(stage: Stage, folder: Path) -> Path:
    """The stack file, and the keys that it names."""
    for user in (ADA, GRACE, EVE):
        stage.keys[user] = generate_key_pair(KeyAlgorithm.ED25519)
        (folder / f"{user}.pem").write_bytes(stage.keys[user].public_pem)
    file = folder / "dev.yaml"
    file.write_text(STACK.replace("WORKSPACE", stage.workspace_name))
    return file


def returned(stage: Stage, computation: Live[Computation]) -> Manifest:
    return Manifest.from_json(stage.workspace.computations.manifest(computation.id))
