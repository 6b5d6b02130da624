"""The three environments of this repository, side by side on one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_iac.testing.faults import end_processes_of
from tests.engine.documents.checkout import copy_checkout
from tests.engine.documents.shell import run_in_one_shell

ENVIRONMENTS = ("dev", "staging", "prod")
UP = """
make --silent setup
. .prism/env.sh
for name in dev staging prod; do pulumi stack init $name; done
for name in dev staging prod; do pulumi up --yes --stack $name & jobs+=($!); done
for job in "${jobs[@]}"; do wait $job; done
"""
AGAIN = "for name in dev staging prod; do pulumi preview --expect-no-changes --stack $name; done"
LOOK = """
for name in research research-staging research-prod; do
  prism-iac vms list --workspace $name --json | grep '"id"'
done
"""


@pytest.mark.usefixtures("pulumi")
def test_three_environments_come_up_side_by_side_each_in_its_own_workspace(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "prism-iac")
    try:
        made, again, seen = run_in_one_shell([UP, AGAIN, LOOK], folder)
    finally:
        end_processes_of(folder)
    assert made.count("+ 12 to create") == made.count("+ 12 created") == len(ENVIRONMENTS)
    assert again.count("12 unchanged") == len(ENVIRONMENTS)
    assert len(seen.splitlines()) == len(set(seen.splitlines())) == len(ENVIRONMENTS)
    policies = folder / ".prism" / "policies"
    assert {path.relative_to(policies).as_posix() for path in policies.rglob("*.json")} == {
        "trainer.json",
        "staging/trainer.json",
        "prod/trainer.json",
    }
