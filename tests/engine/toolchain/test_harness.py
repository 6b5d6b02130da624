from __future__ import annotations

import pytest

from prism_iac.testing.faults import processes_of
from tests.engine.project import Project


def test_a_dynamic_resource_goes_through_its_whole_life(things: Project) -> None:
    things.program("""
        import pulumi
        from thing import Thing

        thing = Thing("bird", word="wren")
        pulumi.export("length", thing.length)
    """)
    file = things.folder / "bird-plain.txt"

    planned = things.preview()
    assert planned.changes == {"bird": "create"}
    assert planned.summary == {"create": 2}
    assert not file.exists()

    assert things.up().changes == {"bird": "create"}
    assert file.read_text() == "wren"
    assert things.stack_outputs() == {"length": 4}
    assert things.state()["bird"].id == str(file)
    assert things.preview().changes == {}

    file.write_text("sparrow")
    assert things.refresh().changes == {"bird": "update"}
    assert things.state()["bird"].inputs["word"] == "sparrow"
    back = things.preview().step("bird")
    assert (back.op, back.detailed_diff) == ("update", {"word": "update"})
    things.up()
    assert file.read_text() == "wren"

    file.unlink()
    assert things.refresh().changes == {"bird": "delete"}
    assert things.up().changes == {"bird": "create"}

    assert things.destroy().changes == {"bird": "delete"}
    assert things.state() == {}
    assert not file.exists()


def test_a_replacement_is_one_change_with_its_reason(things: Project) -> None:
    program = """
        from thing import Thing

        Thing("bird", word="wren", kind="{kind}")
    """
    things.program(program.format(kind="plain"))
    things.up()
    things.program(program.format(kind="fancy"))
    for outcome in (things.preview(), things.up()):
        assert outcome.changes == {"bird": "replace"}
        assert outcome.step("bird").replace_keys == ("kind",)
    assert (things.folder / "bird-fancy.txt").exists()
    assert not (things.folder / "bird-plain.txt").exists()


def test_a_refused_create_is_a_failed_step_and_an_error(things: Project) -> None:
    things.program("""
        from thing import Thing

        Thing("bird", word="refused")
    """)
    outcome = things.up(succeeds=False)
    assert outcome.step("bird").failed
    assert any("this word is refused" in error for error in outcome.errors)
    assert things.state() == {}


def test_secrets_stay_encrypted_in_the_state(things: Project) -> None:
    things.set_config("word", "nightingale", secret=True)
    things.program("""
        import pulumi
        from thing import Thing

        thing = Thing("bird", word=pulumi.Config().require_secret("word"))
        pulumi.export("word", thing.word)
    """)
    outcome = things.up()
    assert "nightingale" not in outcome.text
    assert things.preview().changes == {}
    assert things.stack_outputs() == {"word": "[secret]"}
    assert things.stack_outputs(show_secrets=True) == {"word": "nightingale"}
    state = things.folder / ".prism" / "state" / ".pulumi" / "stacks" / "engine-test" / "dev.json"
    assert "nightingale" not in state.read_text()


def test_the_preview_document_names_each_step(things: Project) -> None:
    things.program("""
        from thing import Thing

        Thing("bird", word="wren")
    """)
    document = things.preview_json()
    assert document["changeSummary"] == {"create": 2}
    assert [step["op"] for step in document["steps"]] == ["create", "create"]


def test_a_verb_that_fails_unexpectedly_shows_what_it_said(project: Project) -> None:
    project.program("raise ValueError('broken')")
    with pytest.raises(AssertionError, match="broken"):
        project.preview()


def test_nothing_survives_the_end_of_a_project(things: Project) -> None:
    things.program("""
        from thing import Thing

        Thing("bird", word="wren", seconds=600)
    """)
    running = things.start("up")
    running.until((things.folder / "bird-plain.txt").exists)
    running.kill()
    things.close()
    assert processes_of(things.folder) == []
