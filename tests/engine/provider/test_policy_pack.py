"""The engine itself refuses what breaks the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.testing.faults import end_processes_of
from tests.engine.documents.checkout import copy_checkout
from tests.engine.documents.shell import run_in_one_shell

READY = """
make --silent setup
. .prism/env.sh
pulumi stack init prod
"""
ALLOWED = "pulumi preview --policy-pack policypack"
REFUSED = """
sed -i 's/agent: {log_level: warn, attestation_policy: trainer}/agent: {tls: none}/' stacks/prod.yaml
sed -i 's/agent: {tls: matls, certificates: agent-tls}/agent: {tls: none}/' stacks/base.yaml
! pulumi preview --policy-pack policypack
"""


@pytest.mark.usefixtures("pulumi")
def test_the_engine_refuses_agents_without_tls_in_prod(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "prism-iac")
    try:
        _, allowed, refused = run_in_one_shell([READY, ALLOWED, REFUSED], folder)
    finally:
        end_processes_of(folder)
    assert "[mandatory]" not in allowed
    assert "[advisory]  hardware-evidence-advice" in allowed
    assert "+ 12 to create" in allowed
    assert "[mandatory]  encrypted-agents" in refused
    assert "computations.iris-regression: the agent is reached without TLS" in refused
    assert refused.count("[mandatory]") == 1
