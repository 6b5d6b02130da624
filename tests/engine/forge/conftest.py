from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

from prism_iac.testing.faults import end_processes_of
from prism_iac.toolchain import Pulumi
from tests.unit.forge.runner import Machine
from tests.unit.forge.stand_in import StandIn, standing_in

Stacks = Callable[[], set[str]]

FILES: Final = {
    "Pulumi.yaml": """
        name: platform
        runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
        stackConfigDir: stacks
    """,
    "requirements.txt": "prism-iac\n",
    "__main__.py": """
        import pulumi
        import prism_iac

        prism_iac.StackFile(f"stacks/{pulumi.get_stack()}.yaml")
    """,
    "numbers.txt": "1\n2\n",
    "stacks/dev.yaml": """
        environment: dev
        endpoint: embedded
        workspace: research
        participants: {ada: {user: ada@example.com}}
        assets:
          numbers: {kind: dataset, provider: ada, file: ../numbers.txt, description: Numbers}
    """,
}


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        yield server


@pytest.fixture
def access(tmp_path: Path) -> dict[str, str]:
    """What opens the state that the jobs share."""
    (tmp_path / "bucket").mkdir()
    return {
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/bucket",
        "PULUMI_CONFIG_PASSPHRASE": "of the team",
    }


@pytest.fixture
def machine(
    tmp_path: Path, pulumi: Pulumi, access: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """A machine that runs jobs of a platform repository, in which somebody has made the stack `dev` once."""
    repository = tmp_path / "platform"
    for name, text in FILES.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(dedent(text), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{pulumi.binary.parent}:/usr/bin:/bin")
    machine = Machine(tmp_path / "machine", repository, {"PULUMI_HOME": str(tmp_path / "home")})
    once = f"cd {repository} && pulumi stack init dev && pulumi config set --secret word secret"
    assert machine.script(once, machine.place(), own=access), machine.said
    try:
        yield machine
    finally:
        end_processes_of(tmp_path)


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    """Names the stacks that are in the shared state."""
    return lambda: {path.stem for path in tmp_path.glob("bucket/.pulumi/stacks/platform/*.json")}
