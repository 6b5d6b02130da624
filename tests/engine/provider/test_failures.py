"""What fails is told in one message, loses nothing, and is taken up again by the next update."""

from __future__ import annotations

import pytest

from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair
from tests.engine.provider.platform_repo import ADA, PlatformRepo

TWO_THAT_FAIL = """
    import prism_iac
    import pulumi

    config = pulumi.Config()
    prism_iac.ConfidentialVM("trainer", ready_timeout=config.get("timeout") or "0s")
    prism_iac.Computation(
        "sum", description="adds numbers", result_consumers=[config.get("consumer") or "nobody"]
    )
"""

NOT_READY = """\
the VM is not ready after 0s: it is creating
  Run the update again to go on waiting, or raise ready_timeout."""
NOT_PARTICIPANTS = """\
prism:participants: must be a JSON object of users with a token or a password each
  Write {"ada@example.com": {"password": "..."}} and set it with --secret."""
NO_SUCH_USER = """\
user: there is no user "nobody"
  Register the user first."""


@pytest.mark.fault(9, 10)
def test_what_was_made_before_a_failure_keeps_its_id_and_is_finished_later(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(TWO_THAT_FAIL)

    failed = project.up("--continue-on-error", succeeds=False)
    assert failed.changes == {"trainer": "create", "sum": "create"}
    partial = project.state()
    assert repo.vm_records() == [partial["trainer"].id]
    assert repo.computations() == ["sum"]
    assert partial["sum"].raw["initErrors"] == [NO_SUCH_USER]
    assert partial["trainer"].raw["initErrors"] == [NOT_READY]
    # The engine's own heading, and our message; nothing of where it was raised.
    said = (f"1 error occurred:\n\t* {item.raw['initErrors'][0]}" for item in partial.values())
    assert sorted(failed.errors) == sorted([*said, "update failed"])

    # It is tried again although nobody changed anything.
    assert project.preview().changes == {"trainer": "update", "sum": "update"}

    project.set_config("timeout", "2m")
    project.set_config("consumer", ADA)
    assert project.up().changes == {"trainer": "update", "sum": "update"}
    finished = project.state()
    assert {name: item.id for name, item in finished.items()} == {
        name: item.id for name, item in partial.items()
    }
    assert not any("initErrors" in item.raw for item in finished.values())
    assert finished["trainer"].outputs["status"] == "online"
    assert repo.vm_records() == [vm.id for vm in repo.vms()] == [finished["trainer"].id]
    assert project.preview().changes == {}

    # Whoever looks for the cause gets the way there.
    project.environ["PRISM_IAC_TRACEBACK"] = "1"
    project.set_config("consumer", "nobody")
    (explained,) = (error for error in project.up(succeeds=False).errors if NO_SUCH_USER in error)
    assert "Traceback" in explained


def test_what_is_wrong_is_said_by_the_preview_all_at_once_and_without_secrets(repo: PlatformRepo) -> None:
    project = repo.project
    project.program("""
        import prism_iac

        prism_iac.ConfidentialVM("trainer", vcpus=0, platform="sev", ready_timeout="soon")
    """)
    refused = project.preview(succeeds=False)
    assert len(refused.errors) == 3
    for field in ("vcpus", "platform", "ready_timeout"):
        assert any(f"resource 'trainer' has a problem: {field}: " in error for error in refused.errors)
    assert "Traceback" not in refused.text

    private_key = generate_key_pair(KeyAlgorithm.ED25519).private_pem.decode()
    project.write("private.pem", private_key)
    project.program("""
        from pathlib import Path

        import prism_iac

        prism_iac.PublicKey("key", computation="c", key=Path("private.pem").read_text())
    """)
    refused = project.preview(succeeds=False)
    assert "a private key" in refused.errors[0]
    assert private_key.splitlines()[1] not in refused.text
    assert "Traceback" not in refused.text

    project.set_config("prism:participants", '{"ada@example.com": {"password": "nightingale"}', secret=True)
    refused = project.preview(succeeds=False)
    assert refused.errors == [NOT_PARTICIPANTS]
    assert "nightingale" not in refused.text
    assert not (repo.data / "backend").exists()
