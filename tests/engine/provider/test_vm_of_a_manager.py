"""A VM that a manager makes, through the engine: its plan, its secret, its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import Authority
from tests.contract.hypervisor.managers import OwnManager, own_manager
from tests.engine.provider.platform_repo import PlatformRepo

DAY = timedelta(days=1)
EC = KeySpec(algorithm=KeyAlgorithm.ECDSA)
PROGRAM = """
    from pathlib import Path

    import prism_iac

    files = ("server_ca", "client_certificate", "client_key")
    prism_iac.ConfidentialVM(
        "trainer",
        provider="cocos",
        manager="MANAGER",
        manager_tls={file: Path(f"{file}.pem").read_text() for file in files},
    )
"""


@pytest.fixture
def manager(tmp_path: Path, repo: PlatformRepo) -> Iterator[OwnManager]:
    """One that asks for certificates, which the repository has."""
    now = datetime.now(UTC)
    authority = Authority.create("Test CA", key=EC, now=now, validity=DAY)
    own = authority.issue(common_name="manager", ip_addresses=["127.0.0.1"], key=EC, now=now, validity=DAY)
    client = authority.issue(common_name="platform", key=EC, now=now, validity=DAY)
    for name, content in (
        ("certificate", own.certificate_pem),
        ("key", own.key_pem),
        ("server_ca", authority.certificate_pem),
        ("client_certificate", client.certificate_pem),
        ("client_key", client.key_pem),
    ):
        repo.project.write(f"{name}.pem", content.decode())
    folder = repo.project.folder
    options = ("--certificate", f"{folder}/certificate.pem", "--key", f"{folder}/key.pem")
    with own_manager(tmp_path / "manager", *options, "--client-ca", f"{folder}/server_ca.pem") as manager:
        yield manager


def test_a_vm_of_a_manager_is_made_read_and_removed(repo: PlatformRepo, manager: OwnManager) -> None:
    project = repo.project
    project.program(PROGRAM.replace("MANAGER", manager.address))
    assert project.preview().changes == {"trainer": "create"}
    assert manager.vms() == []
    project.up()
    vm = project.state()["trainer"]
    assert manager.vms() == [vm.outputs["cvm_id"]]
    assert project.preview().changes == {}
    project.refresh()
    assert project.preview().changes == {}

    # The key is there, and nobody reads it in the state.
    assert "PRIVATE KEY" in json.dumps(project.deployment(show_secrets=True))
    assert "PRIVATE KEY" not in json.dumps(project.deployment())

    project.destroy()
    assert manager.vms() == []
