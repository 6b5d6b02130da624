"""A repository that `prism-iac init` makes previews at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prism_iac.testing.faults import end_processes_of
from prism_iac.toolchain import Pulumi
from tests.engine.documents.shell import run_in_one_shell

INIT = """
prism-iac init platform --name sums --workspace adding
cd platform
ln -s "$ENVIRONMENT" .venv
.venv/bin/python -m prism_iac.toolchain
. .prism/env.sh
prism-iac validate stacks/dev.yaml stacks/staging.yaml stacks/prod.yaml
"""
PREVIEW = """
pulumi stack init prod
pulumi preview --policy-pack policypack
"""


@pytest.mark.usefixtures("pulumi")
def test_a_new_repository_is_valid_and_previews_with_its_policy_pack(tmp_path: Path, pulumi: Pulumi) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    path = ":".join((str(Path(sys.executable).parent), str(pulumi.binary.parent), "/usr/bin", "/bin"))
    try:
        made, planned = run_in_one_shell([INIT, PREVIEW], folder, ENVIRONMENT=sys.prefix, PATH=path)
    finally:
        end_processes_of(folder)
    assert made.count("nothing is wrong") == 3
    assert "+ 12 to create" in planned
    assert "[mandatory]" not in planned
