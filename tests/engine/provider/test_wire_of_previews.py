"""What previews and plans say to Prism: they read, and change nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prism_iac.testing.faults import FaultProxy
from tests.engine.project import STACK
from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    import prism_iac

    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider="ada@example.com", file="numbers.txt", description="{word}"
    )
    computation = prism_iac.Computation("sum", description="{word}", datasets=[numbers.id])
    prism_iac.Participant("{name}", computation=computation.id, user="eve@example.com", actions=["view", "run"])
    host = prism_iac.ConfidentialVM("host", provider="external", vcpus={vcpus})
    prism_iac.AttestationPolicy(
        "policy", path="policy.json", expectations={{"pcr_values": {{"sha256": {{"0": "00" * 32}}}}}}
    )
"""


@pytest.mark.fault(38)
def test_previews_of_every_change_only_read(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM.format(word="adds", name="eve", vcpus=2))
    project.up()
    before = project.deployment()["resources"]
    # An update in place, a replacement, a delete and a create.
    project.program(PROGRAM.format(word="subtracts", name="somebody", vcpus=4))
    with FaultProxy.before_embedded(repo.data) as proxy:
        planned = project.preview("--refresh").changes
        assert set(planned.values()) == {"create", "update", "replace", "delete"}
        plan = subprocess.run(
            [sys.executable, "-m", "prism_iac.cli", "plan", "--stack", STACK],
            cwd=project.folder,
            env=project.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert plan.returncode == 0, plan.stdout + plan.stderr
        assert proxy.calls
        changing = [call for call in proxy.calls if not call.startswith("GET ")]
        assert set(changing) <= {"POST /users/tokens/issue", "POST /users/tokens/refresh"}
    assert project.deployment()["resources"] == before
