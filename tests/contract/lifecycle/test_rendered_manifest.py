"""The manifest as it is rendered from a stack file, and as the real backend returns it."""

from __future__ import annotations

from pathlib import Path

from prism_iac.lifecycle import Live
from prism_iac.model import Manifest, sha3_256_of_path
from prism_iac.model.resources import Computation, KeyAlgorithm
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
computations:
  sum:
    description: "adds <numbers> & more"
    algorithm: addition
    datasets: [numbers, letters]
    result_consumers: [ada, eve, grace]
    agent: {tls: none}
"""


def test_a_rendered_manifest_is_what_the_backend_returns_once_all_exists(
    stage: Stage, numbers: Path, addition: Path, tmp_path: Path
) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "a.txt").write_text("a\n")
    for user in (ADA, GRACE, EVE):
        stage.keys[user] = generate_key_pair(KeyAlgorithm.ED25519)
        (tmp_path / f"{user}.pem").write_bytes(stage.keys[user].public_pem)
    file = tmp_path / "dev.yaml"
    file.write_text(STACK.replace("WORKSPACE", stage.workspace_name))
    stack = load_stack(file)
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


def returned(stage: Stage, computation: Live[Computation]) -> Manifest:
    return Manifest.from_json(stage.workspace.computations.manifest(computation.id))
