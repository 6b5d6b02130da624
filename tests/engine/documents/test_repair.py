"""The commands of the section on repairs, after a crash and after a state was lost."""

from __future__ import annotations

import json
import shlex

from tests.engine.documents.blocks import blocks_of
from tests.engine.documents.checkout import ROOT
from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.test_repair import BY_HAND, keep_one_by_hand

PAGE = ROOT / "docs" / "troubleshooting.md"


def test_the_section_leads_through_every_command(repo: PlatformRepo) -> None:
    lines = [line for block in blocks_of(PAGE) for line in block.text.splitlines()]
    commands = [line for line in lines if line.startswith(("prism-iac repair", "prism-iac orphans"))]
    assert len(commands) == 5
    project = repo.project
    project.program("import prism_iac; prism_iac.Computation('sum', description='adds')")
    keep_one_by_hand(repo)
    with Gate(repo.data) as gate:
        repo.kill_engine_at(gate, "POST .*/computations$")
    said = []
    for command in commands:
        if command == "prism-iac orphans":
            assert project.preview().changes == {}
            state = json.loads(project.pulumi("stack", "export"))
            state["deployment"]["resources"] = []
            (project.folder / "empty.json").write_text(json.dumps(state))
            project.pulumi("stack", "import", "--file", "empty.json")
        ended = repo.prism_iac(*shlex.split(command)[1:])
        assert ended.returncode == 0, ended.stderr
        said.append(ended.stdout)
    assert "was made and carries its mark" in said[0]
    assert "dev: settled" in said[1]
    assert "sum of dev" in said[2]
    assert json.loads(said[3])["orphans"][0]["name"] == "sum"
    assert repo.computations() == [BY_HAND]
