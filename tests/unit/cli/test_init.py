"""`prism-iac init`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from prism_iac.cli import init as room
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).parents[3]
TEMPLATE = Path(room.__file__).parent / "template"
SHARED: Final = (
    "__main__.py",
    "policypack/__main__.py",
    "policypack/PulumiPolicy.yaml",
    "policypack/requirements.txt",
)


@pytest.mark.parametrize(
    ("forge", "files"),
    [
        (
            "github",
            {
                ".github/workflows/prism-iac.yml": "github.yml",
                ".github/workflows/prism-iac-forks.yml": "github-forks.yml",
            },
        ),
        ("gitlab", {".gitlab-ci.yml": "gitlab.yml"}),
    ],
)
def test_a_new_repository_has_the_workflow_of_its_forge(
    run: Run, here: Path, forge: str, files: dict[str, str]
) -> None:
    assert run("init", "platform", "--forge", forge).code == 0
    for name, example in files.items():
        made = here / "platform" / name
        assert made.read_bytes() == (ROOT / "examples/pull-requests" / example).read_bytes()
    assert (here / "platform/.github").exists() is (forge == "github")
    assert (here / "platform/.gitlab-ci.yml").exists() is (forge == "gitlab")


@pytest.mark.parametrize("name", SHARED)
def test_a_new_repository_has_what_this_one_has(name: str) -> None:
    assert (TEMPLATE / name).read_bytes() == (ROOT / name).read_bytes()


def test_names_are_filled_in_and_private_keys_are_private(run: Run, here: Path) -> None:
    assert run("init", "platform", "--name", "sums", "--workspace", "adding").code == 0
    written = {path for path in (here / "platform").rglob("*") if path.is_file()}
    texts = {path: path.read_text() for path in written}
    assert not [path for path, text in texts.items() if "PROJECT_NAME" in text or "WORKSPACE_NAME" in text]
    assert texts[here / "platform/Pulumi.yaml"].startswith("name: sums\n")
    assert "workspace: adding-prod\n" in texts[here / "platform/stacks/prod.yaml"]
    private = {path for path, text in texts.items() if "PRIVATE KEY" in text}
    assert {path.name for path in private} == {"ada.pem", "grace.pem"}
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert "keys/*.pem" in texts[here / "platform/.gitignore"]
    for schema in ("schemas/stack.schema.json", "schemas/pulumi-config.schema.json"):
        assert texts[here / "platform" / schema] == (ROOT / schema).read_text()


def test_without_a_terminal_nothing_is_asked(run: Run, here: Path) -> None:
    assert run("init", "sums").code == 0
    assert (here / "sums/Pulumi.yaml").read_text().startswith("name: sums\n")


def test_nothing_that_is_there_is_replaced(run: Run, here: Path) -> None:
    (here / "README.md").write_text("mine\n")
    ended = run("init", "--name", "sums")
    assert ended.code == 1
    assert "README.md would be replaced" in ended.err
    assert [path.name for path in here.iterdir()] == ["README.md"]


def test_a_name_that_is_none_is_refused(run: Run, here: Path) -> None:
    ended = run("init", "--name", "two words")
    assert (ended.code, list(here.iterdir())) == (1, [])
    assert "--name" in ended.err
