"""Every shape that the sources hint at is read; what none hints at is refused with our own error."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from prism_iac.model import (
    AgentState,
    AssetKind,
    ComputationStatus,
    LogLevel,
    RemoteSource,
    TlsMode,
    VmStatus,
)
from prism_iac.prism import (
    AgentConfigRecord,
    AssetRecord,
    CertificateFiles,
    CertificateRecord,
    ComputationRecord,
    CvmRecord,
    CvmStatistic,
    DomainRecord,
    DryRun,
    EventRecord,
    LogRecord,
    RoleRecord,
    RunRecord,
    RunStatistic,
    UserRecord,
)
from prism_iac.prism._json import Malformed

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)

COMPUTATION: dict[str, Any] = {
    "id": "b0f1c0de",
    "name": "stroke-risk-train",
    "description": "Train on two hospital sets",
    "owner": "7b1f3d60",
    "status": "executable",
    "created_at": "2026-01-12T09:41:07Z",
    "start_time": "0001-01-01T00:00:00Z",
    "end_time": "0001-01-01T00:00:00Z",
    "agent_config": {
        "log_level": "info",
        "cert_file": "",
        "server_key": "",
        "server_ca_file": "",
        "client_ca_file": "",
        "attested_tls": True,
    },
}
CVM: dict[str, Any] = {
    "id": "5c2f2b7e",
    "name": "train-cvm",
    "cvm_id": "0e6a9d52",
    "agent_url": "192.0.2.40:6104",
    "status": "online",
    "state": "ReceivingManifest",
    "created_at": "2026-01-12T10:00:00Z",
    "deleted_at": "0001-01-01T00:00:00Z",
    "provider": "ultraviolet",
    "vcpus": 2,
    "attestation": "",
    "attestation_token": "",
    "agent_log_level": "info",
    "monthly_cost_estimate": "$12.34",
    "cc_platform": "sev-snp",
}


def test_the_documented_computation_is_read_field_by_field() -> None:
    record = ComputationRecord.parse(COMPUTATION)
    assert (record.id, record.name, record.description) == (
        "b0f1c0de",
        "stroke-risk-train",
        "Train on two hospital sets",
    )
    assert (record.owner, record.status) == ("7b1f3d60", ComputationStatus.EXECUTABLE)
    assert record.created_at == datetime(2026, 1, 12, 9, 41, 7, tzinfo=UTC)
    assert record.agent_config == AgentConfigRecord(log_level=LogLevel.INFO, attested_tls=True)
    assert record.manifest is None
    assert record.roles is None


def test_d6_the_zero_time_is_none() -> None:
    record = ComputationRecord.parse(COMPUTATION)
    assert record.start_time is None
    assert record.end_time is None


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-12T12:00:00Z",
        "2026-01-12t12:00:00z",
        "2026-01-12T12:00:00.000Z",
        "2026-01-12T12:00:00.000000999Z",
        "2026-01-12T14:00:00+02:00",
        "2026-01-12T12:00:00",
        "2026-01-12T11:59:60Z",
    ],
)
def test_a_time_is_read_in_every_precision_offset_and_at_a_leap_second(text: str) -> None:
    assert ComputationRecord.parse(COMPUTATION | {"end_time": text}).end_time == NOON


@pytest.mark.fault(44)
def test_a_time_after_2038_is_read() -> None:
    record = ComputationRecord.parse(COMPUTATION | {"end_time": "2039-12-31T23:59:59.5Z"})
    assert record.end_time == datetime(2039, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-01-12T12:00:61Z", "٢٠٢٦"]
)
def test_a_time_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match='"end_time" of a computation'):
        ComputationRecord.parse(COMPUTATION | {"end_time": text})


@pytest.mark.fault(65)
def test_d8_unknown_fields_are_ignored() -> None:
    assert ComputationRecord.parse(COMPUTATION | {"colour": 7}) == ComputationRecord.parse(COMPUTATION)


def test_d8_field_names_are_case_sensitive() -> None:
    assert ComputationRecord.parse({"id": "c", "Name": "x"}).name == ""


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Running", ComputationStatus.RUNNING),
        ("COMPLETED", ComputationStatus.COMPLETED),
        ("canceled", ComputationStatus.CANCELLED),
        ("Stopped", ComputationStatus.CANCELLED),
        ("in progress", ComputationStatus.RUNNING),
        ("hibernating", None),
        ("", None),
    ],
)
def test_d13_a_status_is_read_in_any_case_and_spelling(word: str, status: ComputationStatus | None) -> None:
    assert ComputationRecord.parse(COMPUTATION | {"status": word}).status is status


def test_d14_an_agent_configuration_whose_key_is_hidden_keeps_its_tls_mode() -> None:
    config = AgentConfigRecord.parse({"cert_file": "CERT", "server_key": ""})
    assert config.server_key == ""
    assert config.tls_mode is TlsMode.TLS


def test_d15_a_list_shaped_computation_has_no_agent_configuration() -> None:
    document = {key: value for key, value in COMPUTATION.items() if key != "agent_config"}
    assert ComputationRecord.parse(document).agent_config is None


def test_what_a_list_includes_is_read() -> None:
    role = {"id": "computation_1", "role_name": "owner", "actions": ["view"], "members": None}
    record = ComputationRecord.parse(COMPUTATION | {"manifest": {"id": "c"}, "roles": [role]})
    assert record.manifest == {"id": "c"}
    assert record.roles == (RoleRecord("computation_1", "owner", ("view",), ()),)


def test_d19_a_run_is_read() -> None:
    run = RunRecord.parse(
        {
            "id": "r1",
            "computation_id": "c1",
            "cvm_id": "v1",
            "number": 3.0,
            "status": "failed",
            "agent_url": "https://192.0.2.4:7002/",
            "start_time": "2026-01-12T12:00:00Z",
            "end_time": None,
        }
    )
    assert run == RunRecord("r1", "c1", "v1", 3, ComputationStatus.FAILED, "192.0.2.4:7002", NOON, None)


def test_d21_a_dry_run_is_read_with_and_without_its_wrapper() -> None:
    items = {"keys": ["u1"], "hashes": None, "info": ["no CVM is ready"]}
    assert DryRun.parse({"missing_items": items}) == DryRun.parse(items)
    assert DryRun.parse({"missing_items": items}) == DryRun(keys=("u1",), info=("no CVM is ready",))
    assert not DryRun.parse(items).is_ready
    assert DryRun.parse({"missing_items": {"keys": [], "hashes": [], "info": []}}).is_ready


def test_d24_statistics_are_read() -> None:
    assert RunStatistic.parse({"day": "2026-01-12", "status": "Failed", "count": 2}) == RunStatistic(
        date(2026, 1, 12), ComputationStatus.FAILED, 2
    )
    assert CvmStatistic.parse({"timestamp": "2026-01-12T12:00:00Z", "status": True}) == CvmStatistic(
        NOON, is_up=True
    )
    with pytest.raises(Malformed, match="is not a date"):
        RunStatistic.parse({"day": "soon"})


@pytest.mark.parametrize(
    ("fields", "attested", "mode"),
    [
        ((), False, TlsMode.NONE),
        (("cert_file", "server_key"), False, TlsMode.TLS),
        (("cert_file", "server_key", "server_ca_file", "client_ca_file"), False, TlsMode.MTLS),
        ((), True, TlsMode.ATLS),
        (("client_ca_file",), True, TlsMode.MATLS),
        (("server_ca_file",), False, None),
    ],
)
def test_d28_the_tls_mode_follows_from_the_files(
    fields: tuple[str, ...], *, attested: bool, mode: TlsMode | None
) -> None:
    config = AgentConfigRecord.parse({**dict.fromkeys(fields, "PEM"), "attested_tls": attested})
    assert config.tls_mode is mode


@pytest.mark.parametrize(
    ("word", "level"), [("INFO", LogLevel.INFO), ("warning", LogLevel.WARN), ("", None), ("loud", None)]
)
def test_d29_a_log_level_is_read_in_any_case(word: str, level: LogLevel | None) -> None:
    assert AgentConfigRecord.parse({"log_level": word}).log_level is level
    assert LogRecord.parse({"level": word}).level is level


def test_d30_an_asset_is_read_wrapped_and_in_the_casing_of_the_api() -> None:
    content = {
        "id": "a1",
        "file_name": "risk.py",
        "description": "Risk model",
        "asset_type": "Algorithm",
        "mime_type": "text/x-python",
        "asset": "cHJpbnQoMSkK",
        "checksum": "5F0B",
        "user_key": "",
        "user_id": "u1",
        "computations": ["c1"],
        "created_at": "2026-01-12T12:00:00Z",
    }
    record = AssetRecord.parse({"asset": content})
    assert record == AssetRecord.parse(content)
    assert record.asset_type is AssetKind.ALGORITHM
    assert record.checksum == "5f0b"
    assert record.sample == b"print(1)\n"
    assert (record.user_id, record.computations, record.created_at) == ("u1", ("c1",), NOON)


def test_d59_an_asset_is_read_in_the_casing_of_export_files() -> None:
    record = AssetRecord.parse(
        {"id": "a1", "UserID": "u1", "Checksum": "ab", "UserKey": "k", "Computations": [{"id": "c1"}]}
    )
    assert (record.user_id, record.checksum, record.user_key) == ("u1", "ab", "k")
    assert record.computations == ("c1",)


def test_a_source_is_read_as_the_embedded_prism_writes_it_and_no_other_form_is_in_the_way() -> None:
    source = {"url": "s3://lab/iris", "runtime": "bin", "arguments": ["--fast"]}
    assert AssetRecord.parse({"id": "a1", "source": source}).source == RemoteSource(**source)
    for other in (None, {}, "s3://lab/iris", {"type": "s3", "url": "s3://lab/iris"}):
        assert AssetRecord.parse({"id": "a1", "source": other}).source is None


def test_d36_a_vm_is_ready_when_it_is_online_and_waits_for_a_manifest() -> None:
    assert CvmRecord.parse(CVM).is_ready
    assert not CvmRecord.parse(CVM | {"state": "Running"}).is_ready
    assert not CvmRecord.parse(CVM | {"status": "offline"}).is_ready


def test_d36_the_words_of_the_api_sample_mean_online_and_ready() -> None:
    record = CvmRecord.parse(CVM | {"status": "running", "state": "provisioned"})
    assert (record.status, record.state) == (VmStatus.ONLINE, AgentState.RECEIVING_MANIFEST)
    assert record.is_ready


def test_d36_a_vm_whose_agent_is_not_connected_has_no_state() -> None:
    assert CvmRecord.parse(CVM | {"status": "creating", "state": ""}).state is None


@pytest.mark.parametrize(
    "change", [{"status": "inactive"}, {"status": "Inactive"}, {"deleted_at": "2026-01-12T12:00:00Z"}]
)
def test_d37_an_inactive_vm_is_gone(change: dict[str, str]) -> None:
    assert CvmRecord.parse(CVM | change).is_gone


def test_d37_a_live_vm_is_not_gone() -> None:
    assert not CvmRecord.parse(CVM).is_gone


def test_d38_the_record_id_and_the_machine_id_stay_apart() -> None:
    record = CvmRecord.parse(CVM)
    assert (record.id, record.cvm_id) == ("5c2f2b7e", "0e6a9d52")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("192.0.2.40:6104", "192.0.2.40:6104"),
        ("https://agent.example:7002", "agent.example:7002"),
        ("https://agent.example:7002/", "agent.example:7002"),
        ("", None),
        (":", None),
        (None, None),
    ],
)
def test_d39_an_agent_url_loses_its_scheme_and_an_unknown_one_is_none(
    url: str | None, address: str | None
) -> None:
    assert CvmRecord.parse(CVM | {"agent_url": url}).agent_address == address


@pytest.mark.parametrize(("text", "cost"), [("$12.34", "$12.34"), ("$", None), ("", None), (None, None)])
def test_d39_an_unknown_cost_is_none(text: str | None, cost: str | None) -> None:
    assert CvmRecord.parse(CVM | {"monthly_cost_estimate": text}).monthly_cost_estimate == cost


def test_d33_any_provider_is_read() -> None:
    assert CvmRecord.parse(CVM | {"provider": "aws"}).provider == "aws"


def test_d42_a_certificate_is_read_in_both_casings() -> None:
    snake = {
        "serial_number": "4182",
        "entity_id": "v",
        "revoked": True,
        "expiry_time": "2026-01-12T12:00:00Z",
    }
    pascal = {"SerialNumber": "4182", "EntityID": "v", "Revoked": True, "ExpiryDate": "2026-01-12T12:00:00Z"}
    assert CertificateRecord.parse(snake) == CertificateRecord.parse(pascal)
    assert CertificateRecord.parse(snake) == CertificateRecord("4182", "v", revoked=True, expiry_time=NOON)


def test_a_serial_number_of_39_digits_survives_as_a_number() -> None:
    serial = 418200775411963709155230188462109883412 // 10
    assert CertificateRecord.parse({"serial_number": serial}).serial_number == str(serial)


def test_d43_a_download_is_base64_of_pem_and_shows_no_key() -> None:
    files = CertificateFiles.parse({"certificate": "Q0VSVA==", "private_key": "U0VDUkVU", "ca": "Q0E="})
    assert (files.certificate_pem, files.private_key_pem, files.ca_pem) == ("CERT", "SECRET", "CA")
    assert "SECRET" not in repr(files)


def test_a_download_that_is_no_text_is_malformed() -> None:
    with pytest.raises(Malformed, match="no PEM text"):
        CertificateFiles.parse({"certificate": "/w==", "private_key": "", "ca": ""})


def test_d55_the_words_of_an_event_are_free_text() -> None:
    event = EventRecord.parse(
        {"id": "e7", "event_type": "Whatever", "status": "Odd", "details": "e30=", "run_id": "r2"}
    )
    assert (event.event_type, event.status, event.details) == ("Whatever", "Odd", b"{}")


def test_a_user_is_read_and_old_records_keep_the_name_in_identity() -> None:
    user = {"id": "u1", "email": "ada@example.com", "credentials": {"username": "ada"}, "status": "Enabled"}
    assert UserRecord.parse(user).username == "ada"
    assert UserRecord.parse(user).status == "enabled"
    assert UserRecord.parse({"id": "u1", "credentials": {"identity": "ada"}}).username == "ada"
    assert UserRecord.parse({"id": "u1", "username": "ada"}).username == "ada"


def test_d11_the_alias_of_a_domain_may_be_called_route() -> None:
    assert DomainRecord.parse({"id": "d", "alias": "lab"}).alias == "lab"
    assert DomainRecord.parse({"id": "d", "route": "lab"}).alias == "lab"


def test_d53_a_role_is_read_in_the_spelling_of_its_origin() -> None:
    upstream = {"role_id": "r1", "name": "night-runner", "actions": ["view"], "members": [{"id": "u1"}, "u2"]}
    assert RoleRecord.parse(upstream) == RoleRecord("r1", "night-runner", ("view",), ("u1", "u2"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": ""}, '"id" of a computation is not an id'),
        ({"id": None}, '"id" of a computation is not an id'),
        ({"name": 7}, '"name" of a computation is not a text'),
        ({"agent_config": []}, "an agent configuration is not a JSON object"),
        ({"agent_config": {"attested_tls": "yes"}}, "is not true or false"),
        ({"manifest": []}, "not a JSON object"),
        ({"roles": {}}, "is not a list"),
    ],
)
def test_a_field_of_a_wrong_type_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Malformed, match=complaint):
        ComputationRecord.parse(COMPUTATION | change)


def test_a_value_is_never_repeated_in_a_complaint() -> None:
    with pytest.raises(Malformed) as caught:
        EventRecord.parse({"id": "e", "details": "hunter2 is the secret"})
    assert "hunter2" not in str(caught.value)


def test_secrets_are_masked_in_the_text_of_records() -> None:
    config = AgentConfigRecord(server_key="PRIVATE")
    assert "PRIVATE" not in repr(config)
    assert "PRIVATE" not in repr(ComputationRecord.parse(COMPUTATION | {"agent_config": config.to_json()}))
