"""The plugin, as somebody else's tests use it: the example of its page, on a policy for Milan."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from prism_iac import testing
from prism_iac.attestation import PolicyDocument, policy_from_evidence
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.conftest import NOW

PAGE = Path(__file__).parents[3] / "docs" / "testing-policies.md"


@pytest.fixture(scope="module")
def policy() -> bytes:
    report = EvidenceLab.create(now=NOW).snp.attest(measurement=b"m" * 48, host_data=b"h" * 32).report
    values = policy_from_evidence(report).values()
    values["policy"]["product"] = {"name": "SEV_PRODUCT_MILAN"}
    values["rootOfTrust"] = {"productLine": "Milan", "checkCrl": True}
    return PolicyDocument.from_values(values).to_bytes()


@pytest.mark.parametrize("way", ["option", "conftest"])
def test_the_example_of_the_page_runs(policy: bytes, tmp_path: Path, way: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "test_policy.py").write_text(example)
    (tmp_path / "policy.json").write_bytes(policy)
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
    assert "4 passed" in ended.stdout


def test_the_room_has_what_it_names() -> None:
    assert all(hasattr(testing, name) for name in testing.__all__)
