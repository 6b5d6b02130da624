"""An engine that was killed leaves operations open; `prism-iac repair` settles them, and no hand-work is left."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.engine.provider.gate import Gate
from tests.engine.provider.platform_repo import PlatformRepo
from tests.engine.provider.programs import ONE_OF_EACH

ONE: Final = """
    import contextlib
    import prism_iac

    with prism_iac.native_face() if {native} else contextlib.nullcontext():
        prism_iac.Computation("sum", description="{words}")
"""
BY_HAND: Final = "by-hand"
faces = pytest.mark.parametrize("native", [False, True], ids=["dynamic", "native"])


def keep_one_by_hand(repo: PlatformRepo) -> None:
    """Start the backend, and have somebody make a computation there: it has no mark, and the backend stays for it."""
    repo.start_backend()
    repo.look(
        lambda workspace: workspace.computations.create(name=BY_HAND, description="adds", agent_config=None)
    )


def repaired(repo: PlatformRepo) -> list[dict[str, Any]]:
    """What became of each operation; nothing is pending and nothing locked afterwards."""
    ended = repo.prism_iac("repair", "--yes", "--format", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    document = json.loads(ended.stdout)
    assert [lock["stale"] for lock in document["locks"]] == [True]
    assert document["done"]
    assert not repo.project.deployment().get("pending_operations")
    operations: list[dict[str, Any]] = document["operations"]
    return operations


def outcomes(operations: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {item["name"]: (item["operation"], item["outcome"]) for item in operations}


@pytest.mark.fault(36)
def test_creates_of_every_kind_come_into_the_state_or_are_dropped(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE_OF_EACH)
    keep_one_by_hand(repo)
    with Gate(repo.data) as gate:
        for call, name, outcome in (
            ("POST .*/cvms/", "trainer", "recorded"),
            ("POST .*/computations$", "sum", "recorded"),
            ("POST .*/key$", "key-ada", "dropped"),
            ("POST .*/run$", "first-run", "dropped"),
        ):
            repo.kill_engine_at(gate, call)
            pending = {item["resource"]["urn"] for item in project.deployment()["pending_operations"]}
            assert any(urn.endswith(f"::{name}") for urn in pending), (call, gate.calls)
            settled = outcomes(repaired(repo))
            assert settled[name] == ("creating", outcome)
            assert (name in project.state()) is (outcome == "recorded")
        project.up()
    assert repo.computations() == [BY_HAND, "sum"]
    assert repo.assets() == ["addition.py", "numbers.txt"]
    assert len(repo.vm_records()) == len(repo.vms()) == 1
    assert len(repo.runs()) == 1
    assert project.preview().changes == {}
    ended = repo.prism_iac("orphans")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout
    project.destroy()
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([BY_HAND], [], [], ())


@pytest.mark.fault(36)
@faces
def test_a_create_an_update_and_a_delete_are_settled(repo: PlatformRepo, native: bool) -> None:  # noqa: FBT001  # a parameter
    project = repo.project
    project.program(ONE.format(native=native, words="adds"))
    keep_one_by_hand(repo)
    with Gate(repo.data) as gate:
        repo.kill_engine_at(gate, "POST .*/computations$")
        assert outcomes(repaired(repo)) == {"sum": ("creating", "recorded")}
        assert project.up().changes == {}

        project.program(ONE.format(native=native, words="adds more"))
        repo.kill_engine_at(gate, "PUT .*/computations/")
        (done,) = repaired(repo)
        assert (done["outcome"], done["reason"]) == ("recorded", "it was done")
        assert project.up().changes == {}
        assert project.refresh().changes == {}

        project.program("")
        repo.kill_engine_at(gate, "DELETE .*/computations/")
        assert outcomes(repaired(repo)) == {"sum": ("deleting", "removed")}
        assert project.state() == {}
        assert project.up().changes == {}
    assert repo.computations() == [BY_HAND]


@pytest.mark.fault(36)
def test_an_import_and_a_read_change_nothing(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE.format(native=True, words="adds"))
    project.up()
    known = project.state()["sum"]
    project.pulumi("state", "delete", known.urn, "--yes")
    with Gate(repo.data) as gate:
        repo.kill_engine_at(
            gate,
            "GET .*/computations/",
            verb="import",
            arguments=("prism:index:Computation", "sum", known.id),
        )
        (done,) = repaired(repo)
        assert (done["operation"], done["outcome"]) == ("importing", "dropped")
        assert f"{known.id} is there" in done["reason"]

        project.program(f"""
            import pulumi

            class Known(pulumi.CustomResource):
                def __init__(self):
                    super().__init__("prism:index:Computation", "known", {{}}, pulumi.ResourceOptions(id="{known.id}"))

            Known()
        """)
        repo.kill_engine_at(gate, "GET .*/computations/")
        (done,) = repaired(repo)
        assert (done["operation"], done["outcome"]) == ("reading", "dropped")
    assert repo.computations() == ["sum"]


@pytest.mark.fault(36)
def test_a_replacement_that_was_cut_off_goes_on(repo: PlatformRepo) -> None:
    project = repo.project
    program = "import prism_iac; prism_iac.ConfidentialVM('trainer', vcpus={})"
    project.program(program.format(2))
    project.up()
    project.program(program.format(4))
    with Gate(repo.data) as gate:
        repo.kill_engine_at(gate, "POST .*/cvms/")
        assert outcomes(repaired(repo)) == {"trainer": ("creating", "recorded")}
        assert repo.vm_records() == [project.state()["trainer"].id]
        project.up()
    (vm,) = repo.vms()
    assert repo.vm_records() == [vm.id] == [project.state()["trainer"].id]
    assert vm.vcpus == 4
    assert project.preview().changes == {}


@pytest.mark.fault(36)
def test_an_update_by_its_plan_settles_creates_itself(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE.format(native=False, words="adds"))
    keep_one_by_hand(repo)
    with Gate(repo.data) as gate:
        repo.kill_engine_at(gate, "POST .*/computations$")
        ended = repo.prism_iac("up", "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "settled 1 creates that were cut off: 1 came into the state" in ended.stderr
    assert "removed the lock of an update that was killed: process" in ended.stderr
    assert project.deployment().get("pending_operations") in (None, [])
    assert project.preview().changes == {}


def test_a_look_alone_and_a_lock_of_somebody_else_change_nothing(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE.format(native=False, words="adds"))
    keep_one_by_hand(repo)
    with Gate(repo.data) as gate:
        repo.kill_engine_at(gate, "POST .*/computations$")
    before = project.deployment()
    looked = repo.prism_iac("repair", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "carries its mark" in looked.stdout
    assert "is stale, its process is gone" in looked.stderr
    (lock,) = (repo.data / "state").rglob(".pulumi/locks/**/*.json")
    held = json.loads(lock.read_text())
    lock.write_text(json.dumps({**held, "hostname": "another"}))
    refused = repo.prism_iac("repair", "--yes")
    assert refused.returncode == 1
    assert "the stack is locked by process" in refused.stderr
    assert project.deployment() == before
    assert lock.exists()


def test_what_a_forgotten_stack_left_is_found_and_removed(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(ONE_OF_EACH)
    keep_one_by_hand(repo)
    project.up()
    forgotten = json.loads(project.pulumi("stack", "export"))
    forgotten["deployment"]["resources"] = []
    (project.folder / "empty.json").write_text(json.dumps(forgotten))
    project.pulumi("stack", "import", "--file", "empty.json")
    ended = repo.prism_iac("orphans", "--stack", "dev", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)["orphans"]
    assert [(item["kind"], item["resource"], item["stack"]) for item in found] == [
        ("Computation", "sum", "dev"),
        ("Asset", "addition", "dev"),
        ("Asset", "numbers", "dev"),
        ("ConfidentialVM", "trainer", "dev"),
    ]
    (run,) = (item for item in found if item["kind"] == "Computation")
    repo.look(lambda workspace: workspace.computations.stop(run["id"]))
    removed = repo.prism_iac("orphans", "--stack", "dev", "--delete", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert (repo.computations(), repo.assets(), repo.vm_records(), repo.vms()) == ([BY_HAND], [], [], ())
