"""Decisions D33 to D40 and D47: confidential VMs."""

from __future__ import annotations

import base64
import json

import pytest

from prism_iac.backend._runs import Signal
from tests.unit.backend.support import Person, Prism, Workspace


def test_a_new_cvm_is_creating_and_has_a_certificate(ada: Person, lab: Workspace) -> None:
    record = ada.ok("POST", f"{lab.cvms}/external/2/sev-snp", {"name": "train", "agent_log_level": "Debug"})
    assert record == ada.ok("GET", f"{lab.cvms}/{record['id']}")
    assert (
        record.items()
        >= {
            "cvm_id": record["id"],  # D38
            "name": "train",
            "agent_url": "",
            "status": "creating",
            "state": "",
            "provider": "external",
            "vcpus": 2,
            "attestation": "",
            "attestation_token": "",
            "agent_log_level": "debug",
            "cc_platform": "sev-snp",
        }.items()
    )
    (certificate,) = ada.ok("GET", lab.certs, params={"entity_id": record["id"]})["certificates"]
    assert certificate["revoked"] is False


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("azure", "azure"),
        ("GCP", "gcp"),
        ("external", "external"),
        ("ultraviolet", "ultraviolet"),
        ("Manager", "ultraviolet"),
    ],
)
def test_d33_documented_providers_are_taken(ada: Person, lab: Workspace, given: str, kept: str) -> None:
    assert ada.ok("POST", f"{lab.cvms}/{given}/4/tdx", {"name": "n"})["provider"] == kept


@pytest.mark.parametrize("provider", ["aws", "local", "nobody"])
def test_d33_other_providers_are_refused(ada: Person, lab: Workspace, provider: str) -> None:
    assert ada.post(f"{lab.cvms}/{provider}/4/tdx", {"name": "n"}).status_code == 400


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sev-snp", "sev-snp"),
        ("SEV_SNP", "sev-snp"),
        ("AMD SEV SNP", "sev-snp"),
        ("snp", "sev-snp"),
        ("Intel TDX", "tdx"),
    ],
)
def test_d34_platforms_are_taken_in_every_spelling(
    ada: Person, lab: Workspace, given: str, kept: str
) -> None:
    made = ada.ok("POST", f"{lab.cvms}/external/4/{given}", {"name": "n"})
    assert made["cc_platform"] == kept
    assert ada.ok("GET", lab.cvms, params={"cc_platform": given})["total"] == 1
    assert ada.post(f"{lab.cvms}/external/4/sgx", {"name": "n"}).status_code == 400


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("external/0/sev-snp", 400),
        ("external/-1/sev-snp", 400),
        ("external/two/sev-snp", 400),
        ("external/3/sev-snp", 201),
        ("gcp/3/sev-snp", 400),
        ("gcp/8/tdx", 201),
        ("azure/22/tdx", 400),
        ("azure/128/tdx", 201),
    ],
)
def test_d35_vcpus_are_what_the_provider_offers(ada: Person, lab: Workspace, place: str, status: int) -> None:
    assert ada.post(f"{lab.cvms}/{place}", {"name": "n"}).status_code == status


def test_d36_lists_show_present_cvms_unless_others_are_asked_for(
    prism: Prism, ada: Person, lab: Workspace
) -> None:
    online, creating, gone = lab.ready_cvm(prism, "online"), lab.cvm("creating"), lab.cvm("gone")
    ada.ok("DELETE", f"{lab.cvms}/{gone}")

    def listed(**query: str) -> list[str]:
        return [cvm["id"] for cvm in ada.ok("GET", lab.cvms, params=query)["cvms"]]

    assert listed() == listed(status="active") == [creating, online]
    assert listed(status="inactive") == [gone]
    assert listed(status="online") == [online]
    assert listed(status="offline") == []
    assert listed(name="REAT") == [creating]
    assert listed(days="1") == [creating, online]
    prism.clock.advance(days=3)
    ada.token = prism.token_of(ada)
    assert listed(days="3") == []
    assert ada.get(lab.cvms, params={"status": "strange"}).status_code == 400


def test_d37_a_removed_cvm_leaves_an_inactive_record(prism: Prism, ada: Person, lab: Workspace) -> None:
    cvm = lab.ready_cvm(prism)
    (certificate,) = ada.ok("GET", lab.certs)["certificates"]
    assert ada.delete(f"{lab.cvms}/{cvm}").status_code == 204
    record = ada.ok("GET", f"{lab.cvms}/{cvm}")
    assert record["status"] == "inactive"
    assert record["deleted_at"] != "0001-01-01T00:00:00Z"
    assert ada.delete(f"{lab.cvms}/{cvm}").status_code == 404
    assert ada.ok("GET", lab.certs)["certificates"][0]["revoked"] is True
    assert prism.agents.dropped_cvms == [cvm]
    assert prism.agents.dropped_certificates == [certificate["serial_number"]]


def test_d37_a_cvm_at_work_cannot_be_removed(prism: Prism, ada: Person, lab: Workspace) -> None:
    cvm = lab.ready_cvm(prism)
    run = lab.run(lab.runnable(), cvm)
    assert ada.delete(f"{lab.cvms}/{cvm}").status_code == 409
    prism.end_run(run, Signal.RESULTS_READY)
    assert ada.delete(f"{lab.cvms}/{cvm}").status_code == 204


def test_d39_the_agents_address_has_no_scheme(prism: Prism, ada: Person, lab: Workspace) -> None:
    assert ada.ok("GET", f"{lab.cvms}/{lab.ready_cvm(prism)}")["agent_url"] == "vm.test:7002"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_d40_there_is_no_update(ada: Person, lab: Workspace, method: str) -> None:
    assert ada.call(method, f"{lab.cvms}/{lab.cvm()}", json={"name": "other"}).status_code == 405


def test_d47_a_policy_is_made_from_evidence_once_the_cvm_is_online(
    prism: Prism, ada: Person, lab: Workspace, snp_report: bytes
) -> None:
    cvm = lab.cvm()
    path = f"{lab.cvms}/{cvm}/attestation_policy"
    assert ada.get(path).status_code == 404
    prism.set_agent(cvm)
    assert ada.get(path).status_code == 404
    prism.set_agent(cvm, report=b"evidence of some other kind")
    assert ada.get(path).status_code == 404
    prism.set_agent(cvm, report=snp_report)
    policy = json.loads(base64.b64decode(ada.ok("GET", path)["attestation_policy"]))
    measurement = base64.b64decode(policy["policy"]["measurement"])
    assert len(measurement) == 48
    assert measurement in snp_report
    assert base64.b64decode(ada.ok("GET", f"{lab.cvms}/{cvm}")["attestation"]) == snp_report


def test_statistics_tell_when_a_cvm_came_up_and_went_down(prism: Prism, ada: Person, lab: Workspace) -> None:
    cvm = lab.ready_cvm(prism)
    ada.ok("DELETE", f"{lab.cvms}/{cvm}")
    (change,) = ada.ok("GET", f"{lab.cvms}/{cvm}/statistics")["cvm_stats"]
    assert (change["cvm_id"], change["status"]) == (cvm, False)
    assert ada.get(f"{lab.cvms}/{cvm}/statistics", params={"days": 0}).status_code == 400
