"""`prism-iac manifest render` and `prism-iac lock`, far from any backend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_iac.model import Manifest
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.unit.cli.conftest import Run

STACK = """\
environment: dev
workspace: lab
participants:
  ada: {user: ada@example.com, public_key: ada.pem}
assets:
  code: {kind: algorithm, provider: ada, file: code.py}
computations:
  fit: {description: Fits, algorithm: code, result_consumers: [ada], agent: {tls: none}}
"""


@pytest.fixture
def stack(here: Path) -> Path:
    (here / "ada.pem").write_bytes(generate_key_pair(KeyAlgorithm.ED25519).public_pem)
    (here / "code.py").write_text("print(1)\n")
    (here / "Pulumi.yaml").write_text("name: platform\n")
    path = here / "dev.yaml"
    path.write_text(STACK)
    return path


def test_a_manifest_is_one_line_whose_hash_is_told(run: Run, stack: Path) -> None:
    ended = run("manifest", "render", "--stack", "dev.yaml", "fit")
    manifest = Manifest.from_json(json.loads(ended.out))
    assert ended.out == manifest.canonical_bytes().decode() + "\n"
    assert f"fit: SHA3-256 {manifest.digest().hex()}\n" in ended.err
    assert f"for the lock: {manifest.portable().digest().hex()}\n" in ended.err
    stack.with_name("manifest.json").write_text(ended.out)
    assert run("checksum", "--manifest", "manifest.json").out == f"{manifest.digest().hex()}\n"


def test_another_project_or_stack_is_another_deployment_of_the_same(run: Run, stack: Path) -> None:
    assert stack.exists()
    documents = [
        json.loads(run("manifest", "render", "--stack", "dev.yaml", "--json", *more).out)[0]
        for more in ([], ["--project", "other"], ["--pulumi-stack", "mine"], ["--id", "1"])
    ]
    assert len({document["manifest_sha3_256"] for document in documents}) == 4
    assert len({document["portable_sha3_256"] for document in documents}) == 1
    assert len({document["pcr16"]["sha384"] for document in documents}) == 4


def test_a_hosted_prism_chooses_the_id_and_that_is_said(run: Run, stack: Path) -> None:
    stack.write_text(STACK + "endpoint: https://prism.example.com\n")
    ended = run("manifest", "render", "--stack", "dev.yaml")
    assert "id" not in json.loads(ended.out)
    assert "https://prism.example.com chooses the id; name it with --id" in ended.err
    assert "PCR 16" not in ended.err
    (stack.parent / "policy.json").write_text("{}")
    refused = run("manifest", "render", "--stack", "dev.yaml", "fit", "--policy", "policy.json")
    assert refused.code == 1
    assert "PCR 16 is not known before" in refused.err
    named = run("manifest", "render", "--stack", "dev.yaml", "--id", "42")
    assert json.loads(named.out)["id"] == "42"


def test_a_policy_is_made_to_expect_the_manifest(run: Run, stack: Path) -> None:
    (stack.parent / "policy.json").write_text('{"pcr_values": {"sha256": {"0": "' + "00" * 32 + '"}}}')
    ended = run("manifest", "render", "--stack", "dev.yaml", "fit", "--policy", "policy.json")
    values = json.loads((stack.parent / "policy.json").read_text())["pcr_values"]
    assert set(values["sha256"]) == {"0", "16"}
    assert f"PCR 16, sha256: {values['sha256']['16']}\n" in ended.err
    assert f"PCR 16, sha384: {values['sha384']['16']}\n" in ended.err
    assert run("manifest", "render", "--stack", "dev.yaml", "fat").code == 1


def test_a_lock_is_written_checked_and_renewed(run: Run, stack: Path) -> None:
    assert run("lock", "--stack", "dev.yaml", "--check").code == 1
    assert run("lock", "--stack", "dev.yaml").out == "dev.lock.yaml\n"
    assert run("lock", "--stack", "dev.yaml", "--check").code == 0
    (stack.parent / "code.py").write_text("print(2)\n")
    checked = run("lock", "--stack", "dev.yaml", "--check")
    assert checked.code == 1
    assert "assets.code.sha3_256: the lock says " in checked.err
    assert "computations.fit.manifest_sha3_256: the lock says " in checked.err
    assert run("lock", "--stack", "dev.yaml").code == 0
    assert run("lock", "--stack", "dev.yaml", "--check").code == 0


def test_the_lock_of_an_environment_that_takes_promotions_is_not_written_by_hand(
    run: Run, stack: Path
) -> None:
    stack.write_text(STACK + "promotion: {approvals: 1, approvers: [ada]}\n")
    ended = run("lock", "--stack", "dev.yaml")
    assert ended.code == 1
    assert "takes promotions" in ended.err
    assert not (stack.parent / "dev.lock.yaml").exists()
