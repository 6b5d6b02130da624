"""The plugin, as somebody else's tests use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = '''\
import pytest

from prism_iac.attestation import EvidenceRefused, Nonce, PolicyDocument, policy_from_evidence

NONCE = Nonce.of(b"any nonce")


@pytest.fixture
def policy(evidence_lab):
    """A policy for Milan, as it would lie in a repository."""
    values = policy_from_evidence(evidence_lab.snp.attest(measurement=b"x" * 48).report).values()
    values["policy"]["product"] = {"name": "SEV_PRODUCT_MILAN"}
    values["rootOfTrust"] = {"productLine": "Milan"}
    return evidence_lab.rehearse(PolicyDocument.from_values(values))


def test_our_policy_accepts_what_it_should(evidence_lab, policy):
    assert evidence_lab.verify(evidence_lab.evidence_for(policy, NONCE), policy, nonce=NONCE)


def test_our_policy_refuses_another_measurement(evidence_lab, policy):
    other = evidence_lab.evidence_for(policy, NONCE, measurement=bytes(47) + b"y")
    with pytest.raises(EvidenceRefused, match="launch measurement"):
        evidence_lab.verify(other, policy, nonce=NONCE)
'''


@pytest.mark.parametrize("way", ["option", "conftest"])
def test_a_policy_has_unit_tests_of_its_own(tmp_path: Path, way: str) -> None:
    (tmp_path / "test_policy.py").write_text(TESTS)
    options = ["-p", "prism_iac.testing"]
    if way == "conftest":
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["prism_iac.testing"]\n')
        options = []
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "--rootdir", ".", "."],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_room_says_what_it_offers() -> None:
    from prism_iac import testing

    assert all(hasattr(testing, name) for name in testing.__all__)
