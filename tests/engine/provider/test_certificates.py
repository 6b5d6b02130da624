"""Certificates over their life, under the engine: short lives and long windows stand for a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from prism_iac.pki import load_certificates
from prism_iac.prism import AgentConfigRecord
from tests.engine.outcome import Outcome
from tests.engine.provider.platform_repo import PlatformRepo

PROGRAM = """
    from pathlib import Path

    import prism_iac
    import pulumi

    config = pulumi.Config()
    ADA, GRACE = "ada@example.com", "grace@example.com"

    certificates = prism_iac.CertificateBundle(
        "tls", mode="mtls", key={"algorithm": "ecdsa"}, validity="1h", renew_before=config.get("window") or "1m"
    )
    vm = prism_iac.ConfidentialVM("trainer")
    numbers = prism_iac.Asset(
        "numbers", asset_type="dataset", provider=ADA, file="numbers.txt", description="three numbers"
    )
    addition = prism_iac.Asset(
        "addition", asset_type="algorithm", provider=GRACE, file="addition.py", description="adds them"
    )
    computation = prism_iac.Computation(
        "sum",
        description="adds numbers",
        algorithm=addition.id,
        datasets=[numbers.id],
        result_consumers=[ADA],
        agent=certificates.agent_config("mtls"),
        stop_on_delete=True,
    )
    for user in ("ada", "grace"):
        prism_iac.PublicKey(
            f"key-{user}",
            computation=computation.id,
            user=f"{user}@example.com",
            key=Path(f"{user}.pub.pem").read_text(),
        )
"""


def told(outcome: Outcome) -> str:
    return "\n".join(item.message for item in outcome.diagnostics)


def agent_of(repo: PlatformRepo) -> AgentConfigRecord:
    (record,) = repo.look(
        lambda workspace: [workspace.computations.get(item.id) for item in workspace.computations.list()]
    )
    assert record.agent_config is not None
    return record.agent_config


def calendar(repo: PlatformRepo, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "prism_iac.cli", "calendar", "--json", *options]
    folder, environ = repo.project.folder, repo.project.environ
    answer = subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, text=True)
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def test_a_renewal_is_planned_said_and_reaches_the_next_run(repo: PlatformRepo) -> None:
    project = repo.project
    project.program(PROGRAM)
    project.up()
    assert project.preview().changes == {}
    made = project.state()["tls"].outputs

    # Another window alone makes nothing, although it has begun.
    project.set_config("window", "59m59s")
    assert project.preview().step("tls").detailed_diff == {"renew_before": "update"}
    project.up()
    kept = project.state()["tls"].outputs
    assert kept["server_certificate"] == made["server_certificate"]

    # A run goes on meanwhile.
    computation = project.state()["sum"].id
    with repo.workspace() as workspace:
        workspace.computations.run(computation, repo.vm_records()[0])

    planned = project.preview()
    assert "tls: renews: " in told(planned)
    assert " minutes left, until " in told(planned)
    assert planned.changes["tls"] == "update"
    renewed = project.up()
    assert "another CA is announced" in told(renewed)
    assert "a run is going on and keeps the certificates that it began with" in told(renewed)
    new = project.state(show_secrets=True)["tls"].outputs
    assert new["server_certificate"] != made["server_certificate"]
    assert len(load_certificates(new["ca_certificate"].encode())) == 2
    assert agent_of(repo).cert_file == made["server_certificate"]
    assert "PRIVATE KEY" in new["next_ca_key"]["plaintext"]
    assert "PRIVATE KEY" not in renewed.text + json.dumps(project.deployment())

    # What is left is said until it is done, which it is once the run has ended.
    project.set_config("window", "1m")
    project.up("--target", project.state()["tls"].urn)
    waiting = project.preview()
    assert waiting.changes == {"sum": "update"}
    assert "sum: agent left to update" in told(waiting)
    with repo.workspace() as workspace:
        workspace.computations.stop(computation)
    assert project.up().changes == {"sum": "update"}
    assert agent_of(repo).cert_file == new["server_certificate"]
    assert agent_of(repo).client_ca_file == new["ca_certificate"]
    assert project.refresh().changes == {}
    assert project.preview().changes == {}

    # The calendar tells of the same dates from the state alone, and of the VM's certificate from Prism.
    answer = calendar(repo, "--days", "366")
    assert [(date["event"], date["of"].partition(" (")[0]) for date in answer["dates"]] == [
        ("renews", "certificates tls"),
        ("expires", "certificates tls"),
        ("changes CA", "certificates tls"),
        ("expires", f"VM {repo.vms()[0].name}"),
    ]
    assert answer["left_out"] == []
    assert calendar(repo, "--at", "2000-01-01")["dates"] == []
    repo.stop_backend()
    assert calendar(repo)["left_out"] == ["certificates of VMs"]
