"""What `prism-iac ephemeral` writes and refuses before it asks the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from prism_iac.cli.ephemeral import _life
from prism_iac.cli.ephemeral._mark import Mark
from prism_iac.cli.ephemeral._stack_file import remove_stack_file, write_stack_file
from prism_iac.errors import Conflict
from prism_iac.forge import pull_requests_of
from prism_iac.spec import load_stack
from tests.unit.cli.conftest import Run
from tests.unit.forge.stand_in import standing_in

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
STACK_FILE: Final = """
environment: dev
endpoint: embedded
workspace: research
vms: {trainer: {provider: local, platform: sev-snp, vcpus: 2}}
attestation_policies: {trainer: {vm: trainer, path: .prism/policies/dev/trainer.json}}
participants: {ada: {user: ada@example.com}}
assets:
  add: {kind: algorithm, provider: ada, checksum: "%s", runtime: python, description: Adds}
computations:
  sum: {description: Adds, algorithm: add, result_consumers: [ada], vm: trainer, run: on-change, agent: {tls: none}}
""" % ("5" * 64)


def of(base: str = "dev", pull_request: int = 12, expires: datetime = NOW) -> Mark:
    return Mark(of=base, pull_request=pull_request, expires=expires)


@pytest.fixture
def project(here: Path) -> Path:
    (here / "stacks").mkdir()
    (here / "stacks/dev.yaml").write_text(STACK_FILE, encoding="utf-8")
    return here


def test_what_two_stacks_must_not_share_is_apart_and_the_rest_the_same(project: Path) -> None:
    base = load_stack(project / "stacks/dev.yaml")
    stack = load_stack(write_stack_file(project, of()))
    assert (stack.environment, stack.workspace) == ("dev", "research-pr-12")
    assert stack.attestation_policies["trainer"].path == ".prism/policies/dev-pr-12/trainer.json"
    assert stack.vms["trainer"] == base.vms["trainer"]
    # A run that waits for participants would keep the stack from being destroyed.
    assert not base.computations["sum"].stop_on_delete
    assert stack.computations["sum"].stop_on_delete


def test_a_hosted_prism_keeps_its_workspace(project: Path) -> None:
    text = STACK_FILE.replace("embedded", "https://prism.example.com")
    (project / "stacks/dev.yaml").write_text(text, encoding="utf-8")
    assert load_stack(write_stack_file(project, of())).workspace == "research"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("live", ("environment: dev", "environment: prod")),
        ("prod", ("", "")),
        ("dev", ("endpoint:", "locked: true\nendpoint:")),
        ("dev", ("endpoint:", "promotion: {}\nendpoint:")),
    ],
)
def test_nothing_is_made_after_a_protected_stack(project: Path, name: str, change: tuple[str, str]) -> None:
    (project / f"stacks/{name}.yaml").write_text(STACK_FILE.replace(*change), encoding="utf-8")
    with pytest.raises(Conflict, match=f"{name} is protected"):
        write_stack_file(project, of(name))
    assert list(project.glob("stacks/*-pr-*")) == []


def test_a_file_that_somebody_wrote_is_neither_replaced_nor_removed(project: Path) -> None:
    mine = project / "stacks/dev-pr-12.yaml"
    mine.write_text("extends: dev.yaml\n", encoding="utf-8")
    with pytest.raises(Conflict, match="a stack file of this name is there"):
        write_stack_file(project, of())
    remove_stack_file(project, "dev-pr-12")
    assert mine.exists()
    mine.unlink()
    write_stack_file(project, of())
    remove_stack_file(project, "dev-pr-12")
    assert not mine.exists()


def test_a_sweep_takes_what_has_ended_or_is_closed_and_goes_on_where_one_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = NOW + timedelta(hours=1)
    marks = {
        f"dev-pr-{number}": of(pull_request=number, expires=expires)
        for number, expires in ((1, NOW), (2, later), (3, later), (4, later), (5, NOW))
    }
    removed: list[str] = []

    def remove(stack: str) -> bool:
        if stack == "dev-pr-1":
            raise Conflict("`pulumi destroy` of dev-pr-1 failed; see above")
        removed.append(stack)
        return True

    monkeypatch.setattr(_life, "marked_stacks", lambda: sorted(marks))
    monkeypatch.setattr(_life, "read_mark", marks.__getitem__)
    monkeypatch.setattr(_life, "remove", remove)
    said: list[str] = []
    with standing_in() as server:
        server.heads = {2: "5" * 40}
        server.closed = {3}
        assert not _life.sweep(NOW, pull_requests_of(server.github()), said.append)
    assert removed == ["dev-pr-3", "dev-pr-5"]
    assert said == [
        "dev-pr-1: not removed: `pulumi destroy` of dev-pr-1 failed; see above",
        "dev-pr-2: kept until 2026-11-26T13:00:00Z",
        "dev-pr-3: removed, pull request 3 is closed",
        "dev-pr-4: not removed: the forge answered 404: Not Found",
        "dev-pr-5: removed, its time was over at 2026-11-26T12:00:00Z",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("make", "dev", "--pull-request", "12", "--ttl", "soon"), "--ttl"),
        (("make", "../dev", "--pull-request", "12"), "STACK"),
        (("up", "dev"), "--pull-request"),
        (("down", "dev"), "--pull-request"),
    ],
)
def test_what_is_not_said_right_is_told(run: Run, arguments: tuple[str, ...], message: str) -> None:
    ended = run("ephemeral", *arguments, GITLAB_CI="", GITHUB_REF="refs/heads/main")
    assert ended.code == 1
    assert message in ended.err
