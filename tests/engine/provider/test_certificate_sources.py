"""Bundles that Prism issues, and files that are brought, through the engine: their plan, their secrets, their end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import issue_bundle
from tests.engine.provider.platform_repo import PlatformRepo

ISSUED = """
    import prism_iac

    vm = prism_iac.ConfidentialVM("trainer", provider="external")
    tls = prism_iac.CertificateBundle(
        "tls", source="prism", vm=vm.id, mode="mtls", ip_addresses=["127.0.0.1"], renew_before="10d"
    )
    prism_iac.Computation("sum", description="adds", agent=tls.agent_config("mtls"))
"""
BROUGHT = """
    from pathlib import Path

    import prism_iac

    fields = ("ca_certificate", "server_certificate", "server_key", "client_certificate", "client_key")
    tls = prism_iac.CertificateBundle(
        "tls", source="files", mode="mtls", files={field: f"{field}.pem" for field in fields}
    )
    prism_iac.Computation("sum", description="adds", agent=tls.agent_config("mtls"))
"""


def test_certificates_of_prism_renew_and_the_old_ones_are_revoked_once_nobody_uses_them(
    repo: PlatformRepo,
) -> None:
    project = repo.project
    project.program(ISSUED)
    assert project.preview().changes == {"trainer": "create", "tls": "create", "sum": "create"}
    project.up()
    assert project.preview().changes == {}
    assert "PRIVATE KEY" not in json.dumps(project.deployment())
    first = project.state()["tls"].outputs

    # Within the window the plan says why.
    end = datetime.fromisoformat(first["not_after"])
    project.environ["PRISM_IAC_AT"] = (end - timedelta(days=5)).isoformat()
    planned = project.preview()
    assert planned.changes["tls"] == "update"
    assert "renews: 5 days left" in planned.text
    del project.environ["PRISM_IAC_AT"]

    # Revoked behind the back: seen by a refresh, issued anew, and the other one revoked when it is out of use.
    repo.look(lambda workspace: workspace.certificates.revoke(first["server_serial"]))
    assert project.preview().changes == {}
    project.refresh()
    planned = project.preview()
    assert planned.changes["tls"] == "update"
    assert "issues other certificates" in planned.text
    project.up()
    second = project.state()["tls"].outputs
    assert second["server_serial"] != first["server_serial"]
    assert project.preview().changes == {}

    project.refresh()
    assert "revokes " in project.preview().text
    project.up()
    assert "old_serials" not in project.state()["tls"].outputs
    assert revoked(repo) >= {first["server_serial"], first["client_serial"]}
    assert project.preview().changes == {}

    project.destroy()


def revoked(repo: PlatformRepo) -> set[str]:
    """The serial numbers that Prism has revoked."""
    return repo.look(
        lambda workspace: {item.serial_number for item in workspace.certificates.list() if item.revoked}
    )


def test_brought_files_are_kept_as_secrets_and_their_end_is_told(repo: PlatformRepo) -> None:
    project = repo.project
    wanted = CertificateBundle.parse({"mode": "mtls", "key": {"algorithm": "ecdsa"}, "validity": "90d"})
    bundle = issue_bundle(wanted, now=datetime.now(UTC))
    for field in ("ca_certificate", "server_certificate", "server_key", "client_certificate", "client_key"):
        content = getattr(bundle, field)
        project.write(f"{field}.pem", content if isinstance(content, str) else content.decode()).chmod(0o600)
    project.program(BROUGHT)
    made = project.up()
    assert made.changes == {"tls": "create", "sum": "create"}
    assert project.preview().changes == {}
    assert "PRIVATE KEY" not in json.dumps(project.deployment()) + made.text

    end = datetime.fromisoformat(project.state()["tls"].outputs["not_after"])
    project.environ["PRISM_IAC_AT"] = (end - timedelta(days=12)).isoformat()
    late = project.preview()
    assert late.changes == {}
    assert "in 12 days: bring new ones" in late.text
    del project.environ["PRISM_IAC_AT"]

    (project.folder / "server_key.pem").chmod(0o644)
    refused = project.preview(succeeds=False)
    assert any("chmod 600" in error for error in refused.errors)
