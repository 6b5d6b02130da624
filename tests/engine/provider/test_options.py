"""The engine's options for resources do with ours what they do with any."""

from __future__ import annotations

import pytest

from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    import prism_iac
    import pulumi

    config = pulumi.Config()
    word = config.get("word") or "numbers"

    def asset(name, description=word, **options):
        return prism_iac.Asset(
            name,
            asset_type="dataset",
            provider="ada@example.com",
            file="numbers.txt",
            file_name=name,
            description=description,
            opts=pulumi.ResourceOptions(**options),
        )

    asset("ignored", ignore_changes=["description"])
    asset("replaced", replace_on_changes=["description"])
    asset("replaced-after", replace_on_changes=["description"], delete_before_replace=True)
    if word == "numbers":
        asset("protected", protect=True)
        asset("retained", retain_on_delete=True)
        asset("first-name", "named")
    else:
        asset("second-name", "named", aliases=[pulumi.Alias(name="first-name")])
"""


@pytest.mark.fault(18)
def test_each_option_is_honoured(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    project.up()
    first = {name: state.id for name, state in project.state().items()}
    project.set_config("word", "measurements")

    # Nothing but what is named changes.
    project.up("--target", project.state()["replaced"].urn)
    targeted = {name: state.id for name, state in project.state().items()}
    assert targeted.pop("replaced") != first["replaced"]
    assert targeted == {name: found for name, found in first.items() if name != "replaced"}

    refused = project.up(succeeds=False)
    assert any("protected" in error for error in refused.errors)
    project.pulumi("state", "unprotect", "--yes", project.state()["protected"].urn)
    done = project.up()
    ids = {asset.file_name: asset.id for asset in repo.look(lambda workspace: list(workspace.assets.list()))}
    state = project.state()
    assert "ignored" not in done.changes
    assert state["ignored"].id == ids["ignored"] == first["ignored"]
    assert state["replaced-after"].id == ids["replaced-after"] != first["replaced-after"]
    assert "protected" not in ids
    # Left to whoever wants it, and no longer in state.
    assert "retained" not in state
    assert ids["retained"] == first["retained"]
    # Another logical name of the same asset.
    assert state["second-name"].id == first["first-name"]
    assert project.preview().changes == {}
