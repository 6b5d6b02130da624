"""Every method makes the documented call, and reads the documented answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from prism_iac.errors import Conflict, InvalidInput
from prism_iac.model import AssetKind, ComputationStatus, LogLevel, Platform, RemoteSource
from prism_iac.prism import (
    AgentConfigRecord,
    AssetContent,
    Paths,
    PermissionDenied,
    PrismClient,
    TokenCredentials,
    UnexpectedReply,
)
from tests.unit.prism.support import (
    DOMAIN,
    ScriptedPrism,
    client_of,
    ok,
    page,
    refused,
    sent_json,
    workspace_of,
)

NOON = datetime(2026, 1, 12, 14, 0, tzinfo=timezone(timedelta(hours=2)))
CONFIG = AgentConfigRecord(LogLevel.WARN, attested_tls=True)
ASSET = AssetContent(AssetKind.ALGORITHM, "model", "cd" * 32, "risk.py", "text/x-python", b"print(1)\n")
CONFIG_JSON = {
    "log_level": "warn",
    "cert_file": "",
    "server_key": "",
    "server_ca_file": "",
    "client_ca_file": "",
    "attested_tls": True,
}
ASSET_JSON = {
    "asset_type": "algorithm",
    "description": "model",
    "checksum": "cd" * 32,
    "file_name": "risk.py",
    "mime_type": "text/x-python",
    "asset": "cHJpbnQoMSkK",
}

SOURCE = RemoteSource(url="https://data.example.com/risk.py", runtime="python")
SOURCE_JSON = {"url": "https://data.example.com/risk.py", "runtime": "python"}

C = f"/computations/{DOMAIN}/computations"
A = f"/computations/{DOMAIN}/assets"
V = f"/backends/{DOMAIN}/cvms"
T = f"/certs/{DOMAIN}/certs"
R = f"{C}/c1/roles"

Case = tuple[Callable[[Any], Any], str, str, dict[str, str], Any, httpx.Response, Any]

CASES: dict[str, Case] = {
    "C1": (
        lambda w: w.computations.create(name="n", description="d", agent_config=CONFIG),
        "POST", C, {}, {"name": "n", "description": "d", "agent_config": CONFIG_JSON}, ok({"id": "c1"}), "c1",
    ),
    "C2": (
        lambda w: [c.id for c in w.computations.list()],
        "GET", C, {"limit": "100", "offset": "0"}, None, page("computations", {"id": "c1"}), ["c1"],
    ),
    "C2 with details": (
        lambda w: [c.manifest for c in w.computations.list(include=("roles", "manifest", "agent_config"))],
        "GET", C, {"include": "agent_config,manifest,roles", "limit": "100", "offset": "0"}, None,
        page("computations", {"id": "c1", "manifest": {"id": "c1"}}), [{"id": "c1"}],
    ),
    "C3": (lambda w: w.computations.get("c1").id, "GET", f"{C}/c1", {}, None, ok({"id": "c1"}), "c1"),
    "C3 peek": (
        lambda w: w.computations.get("c1", peek=True).id,
        "GET", f"{C}/c1", {"peek": "true"}, None, ok({"id": "c1"}), "c1",
    ),
    "C4": (
        lambda w: w.computations.update("c1", name="n", description="d", agent_config=CONFIG),
        "PUT", f"{C}/c1", {}, {"name": "n", "description": "d", "agent_config": CONFIG_JSON}, ok(), None,
    ),
    "C4 keeping the configuration": (
        lambda w: w.computations.update("c1", name="n", description="d"),
        "PUT", f"{C}/c1", {}, {"name": "n", "description": "d"}, ok(), None,
    ),
    "C5": (lambda w: w.computations.delete("c1"), "DELETE", f"{C}/c1", {}, None, ok(status=204), None),
    "C6": (
        lambda w: w.computations.run("c1", "v1"),
        "POST", f"{C}/c1/run", {"cvm": "v1"}, None, httpx.Response(200, json="r1"), "r1",
    ),
    "C7": (
        lambda w: w.computations.latest_run("c1").id, "GET", f"{C}/c1/run", {}, None, ok({"id": "r1"}), "r1",
    ),
    "C7 before the first": (
        lambda w: w.computations.latest_run("c1"), "GET", f"{C}/c1/run", {}, None, refused(404), None,
    ),
    "C8": (
        lambda w: [r.id for r in w.computations.runs(computation_id="c1", status=ComputationStatus.FAILED)],
        "GET", f"{C}/runs", {"computation_id": "c1", "status": "failed", "limit": "100", "offset": "0"}, None,
        page("runs", {"id": "r1"}), ["r1"],
    ),
    "C9": (
        lambda w: [s.count for s in w.computations.statistics(days=30)],
        "GET", f"{C}/statistics", {"days": "30"}, None,
        ok({"comp_stats": [{"day": "2026-01-12", "status": "failed", "count": 2}]}), [2],
    ),
    "C10": (
        lambda w: w.computations.upload_key("c1", "-----BEGIN PUBLIC KEY-----\n"),
        "POST", f"{C}/c1/key", {}, {"key": "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0K"}, ok(), None,
    ),
    "C11": (
        lambda w: w.computations.has_key("c1"), "GET", f"{C}/c1/key", {}, None, ok({"uploaded": True}), True,
    ),
    "C12": (
        lambda w: w.computations.dry_run("c1").info,
        "POST", f"{C}/c1/dryrun", {}, None, ok({"missing_items": {"info": ["x"]}}), ("x",),
    ),
    "C13": (lambda w: w.computations.stop("c1"), "GET", f"{C}/c1/stop", {}, None, ok(), None),
    "C14": (
        lambda w: w.computations.manifest("c1"), "GET", f"{C}/c1/manifest", {}, None, ok({"id": "c1"}), {"id": "c1"},
    ),
    "E1": (
        lambda w: [e.id for e in w.computations.events("c1", run_id="r", since=NOON, status="Ready")],
        "GET", f"{C}/c1/events",
        {"run_id": "r", "from": "2026-01-12T12:00:00Z", "status": "Ready", "limit": "100", "offset": "0"}, None,
        page("events", {"id": "e1"}), ["e1"],
    ),
    "E2": (
        lambda w: w.computations.latest_event("c1").id, "GET", f"{C}/c1/status", {}, None, ok({"id": "e1"}), "e1",
    ),
    "E2 before the first": (
        lambda w: w.computations.latest_event("c1"), "GET", f"{C}/c1/status", {}, None, refused(404), None,
    ),
    "L1": (
        lambda w: [e.message for e in w.computations.logs("c1", until=NOON, level=LogLevel.ERROR, message="x")],
        "GET", f"{C}/c1/logs",
        {"to": "2026-01-12T12:00:00Z", "level": "error", "message": "x", "limit": "100", "offset": "0"}, None,
        page("logs", {"message": "x"}), ["x"],
    ),
    "A1": (lambda w: w.assets.create(ASSET), "POST", A, {}, {"asset": ASSET_JSON}, ok({"id": "a1"}), "a1"),
    "A2": (
        lambda w: [a.id for a in w.assets.list()],
        "GET", A, {"limit": "100", "offset": "0"}, None, page("assets", {"id": "a1"}), ["a1"],
    ),
    "A3": (lambda w: w.assets.get("a1").id, "GET", f"{A}/a1", {}, None, ok({"id": "a1"}), "a1"),
    "A4": (lambda w: w.assets.update("a1", ASSET), "PUT", f"{A}/a1", {}, {"asset": ASSET_JSON}, ok(), None),
    "A4 with a source": (
        lambda w: w.assets.update("a1", replace(ASSET, source=SOURCE)),
        "PUT", f"{A}/a1", {}, {"asset": {**ASSET_JSON, "source": SOURCE_JSON}}, ok(), None,
    ),
    "A4 without its source": (
        lambda w: w.assets.update("a1", replace(ASSET, removes_source=True)),
        "PUT", f"{A}/a1", {}, {"asset": {**ASSET_JSON, "source": None}}, ok(), None,
    ),
    "A5": (lambda w: w.assets.delete("a1"), "DELETE", f"{A}/a1", {}, None, ok(status=204), None),
    "A6": (lambda w: w.assets.link("a1", "c1"), "POST", f"{A}/a1/c1", {}, None, ok(), None),
    "A7": (
        lambda w: [c.id for c in w.assets.computations("a1")],
        "GET", f"{A}/a1/computations", {"limit": "100", "offset": "0"}, None,
        page("computations", {"id": "c1"}), ["c1"],
    ),
    "A8": (lambda w: w.assets.unlink("a1", "c1"), "PUT", f"{A}/a1/c1", {}, None, ok(), None),
    "A8 not linked": (lambda w: w.assets.unlink("a1", "c1"), "PUT", f"{A}/a1/c1", {}, None, refused(404), None),
    "V1": (
        lambda w: w.cvms.create(provider="manager", vcpus=4, platform=Platform.SEV_SNP, name="n"),
        "POST", f"{V}/manager/4/sev-snp", {}, {"name": "n", "agent_log_level": "info"}, ok({"id": "v1"}), "v1",
    ),
    "V2": (
        lambda w: [v.id for v in w.cvms.list(name="n", status="active")],
        "GET", V, {"name": "n", "status": "active", "limit": "100", "offset": "0"}, None,
        page("cvms", {"id": "v1"}), ["v1"],
    ),
    "V3": (lambda w: w.cvms.get("v1").id, "GET", f"{V}/v1", {}, None, ok({"id": "v1"}), "v1"),
    "V4": (lambda w: w.cvms.delete("v1"), "DELETE", f"{V}/v1", {}, None, ok(status=204), None),
    "V5": (
        lambda w: [s.is_up for s in w.cvms.statistics("v1", days=1)],
        "GET", f"{V}/v1/statistics", {"days": "1"}, None,
        ok({"cvm_stats": [{"timestamp": "2026-01-12T12:00:00Z", "status": True}]}), [True],
    ),
    "V6": (
        lambda w: w.cvms.attestation_policy("v1"),
        "GET", f"{V}/v1/attestation_policy", {}, None,
        ok({"attestation_policy": base64.b64encode(b'{ "policy" : {} }\n').decode()}), b'{ "policy" : {} }\n',
    ),
    "T1": (
        lambda w: w.certificates.issue("v1", ip_addresses=("192.0.2.4",)),
        "POST", f"{T}/issue/cvm/v1", {}, {"ip_addresses": ["192.0.2.4"]}, ok({"serial_number": "418"}), "418",
    ),
    "T2": (lambda w: w.certificates.renew("418"), "PATCH", f"{T}/418/renew", {}, None, ok(), None),
    "T3": (lambda w: w.certificates.revoke("418"), "PATCH", f"{T}/418/revoke", {}, None, ok(), None),
    "T4": (
        lambda w: [c.serial_number for c in w.certificates.list(cvm_id="v1")],
        "GET", T, {"entity_id": "v1", "limit": "100", "offset": "0"}, None,
        page("certificates", {"serial_number": "418"}), ["418"],
    ),
    "T5": (
        lambda w: w.certificates.delete("v1"), "DELETE", T, {"entity_id": "v1"}, None, ok(status=204), None,
    ),
    "T6": (
        lambda w: w.certificates.download_token("418"),
        "GET", f"{T}/418/download/token", {}, None, ok({"token": "t"}), "t",
    ),
    "T7": (
        lambda w: w.certificates.download("v1", "t").certificate_pem,
        "GET", f"{T}/v1/download", {"downloadToken": "t"}, None,
        ok({"certificate": "Q0VSVA==", "private_key": "", "ca": ""}), "CERT",
    ),
    "role create": (
        lambda w: w.roles.create("c1", name="n", actions=("view",), members=("u1",)),
        "POST", R, {}, {"role_name": "n", "optional_actions": ["view"], "optional_members": ["u1"]},
        ok({"id": "r1"}), "r1",
    ),
    "role list": (
        lambda w: [r.id for r in w.roles.list("c1")],
        "GET", R, {"limit": "100", "offset": "0"}, None, page("roles", {"id": "r1"}), ["r1"],
    ),
    "role get": (lambda w: w.roles.get("c1", "r1").id, "GET", f"{R}/r1", {}, None, ok({"id": "r1"}), "r1"),
    "role rename": (lambda w: w.roles.rename("c1", "r1", name="m"), "PUT", f"{R}/r1", {}, {"name": "m"}, ok(), None),
    "role delete": (lambda w: w.roles.delete("c1", "r1"), "DELETE", f"{R}/r1", {}, None, refused(404), None),
    "role actions": (
        lambda w: w.roles.actions("c1", "r1"),
        "GET", f"{R}/r1/actions", {}, None, ok({"actions": ["view"]}), ("view",),
    ),
    "role actions add": (
        lambda w: w.roles.add_actions("c1", "r1", ["run"]),
        "POST", f"{R}/r1/actions", {}, {"actions": ["run"]}, ok({"actions": ["run"]}), None,
    ),
    "role actions remove": (
        lambda w: w.roles.remove_actions("c1", "r1", ["run"]),
        "POST", f"{R}/r1/actions/delete", {}, {"actions": ["run"]}, ok(status=204), None,
    ),
    "role actions remove all": (
        lambda w: w.roles.remove_all_actions("c1", "r1"),
        "POST", f"{R}/r1/actions/delete-all", {}, None, ok(status=204), None,
    ),
    "role members": (
        lambda w: list(w.roles.members("c1", "r1")),
        "GET", f"{R}/r1/members", {"limit": "100", "offset": "0"}, None, page("members", "u1", "u2"), ["u1", "u2"],
    ),
    "role members add": (
        lambda w: w.roles.add_members("c1", "r1", ["u1"]),
        "POST", f"{R}/r1/members", {}, {"members": ["u1"]}, ok({"members": ["u1"]}), None,
    ),
    "role members remove": (
        lambda w: w.roles.remove_members("c1", "r1", ["u1"]),
        "POST", f"{R}/r1/members/delete", {}, {"members": ["u1"]}, ok(status=204), None,
    ),
    "role members remove all": (
        lambda w: w.roles.remove_all_members("c1", "r1"),
        "POST", f"{R}/r1/members/delete-all", {}, None, ok(status=204), None,
    ),
    "role available actions": (
        lambda w: w.roles.available_actions(),
        "GET", f"{C}/roles/available-actions", {}, None, ok({"available_actions": ["view"]}), ("view",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_d1_a_method_calls_its_route_with_the_domain_in_path_and_query(name: str) -> None:
    call, method, path, query, body, reply, result = CASES[name]
    workspace, prism = workspace_of(reply)
    assert call(workspace) == result
    request = prism.last
    assert (request.method, request.url.path) == (method, path)
    assert dict(request.url.params) == {"domainID": DOMAIN, **query}
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers.get("content-type") == ("application/json" if body is not None else None)
    assert request.headers["authorization"] == "Bearer access-1"
    assert len(prism.requests) == 1


USER_RECORD = {"id": "u1", "email": "Ada@example.com", "credentials": {"username": "ada"}}

ClientCase = tuple[Callable[[Any], Any], str, str, dict[str, str], Any, httpx.Response, Any]

CLIENT_CASES: dict[str, ClientCase] = {
    "U1": (
        lambda c: c.users.register(
            email="ada@example.com", username="ada", password="p" * 8, first_name="Ada", last_name="L"
        ).id,
        "POST", "/users", {},
        {"email": "ada@example.com", "first_name": "Ada", "last_name": "L",
         "credentials": {"username": "ada", "secret": "p" * 8}},
        ok(USER_RECORD, status=201), "u1",
    ),
    "U4": (
        lambda c: [u.id for u in c.users.list()],
        "GET", "/users", {"limit": "100", "offset": "0"}, None, page("users", USER_RECORD), ["u1"],
    ),
    "profile": (lambda c: c.users.profile().id, "GET", "/users/profile", {}, None, ok(USER_RECORD), "u1"),
    "user": (lambda c: c.users.get("u1").username, "GET", "/users/u1", {}, None, ok(USER_RECORD), "ada"),
    "user by email": (
        lambda c: c.users.find_by_email("ada@EXAMPLE.com").id,
        "GET", "/users", {"email": "ada@EXAMPLE.com", "limit": "100", "offset": "0"}, None,
        page("users", {"id": "u0", "email": "bob@example.com"}, USER_RECORD), "u1",
    ),
    "user by name": (
        lambda c: c.users.find_by_username("ada").id,
        "GET", "/users", {"username": "ada", "limit": "100", "offset": "0"}, None, page("users", USER_RECORD), "u1",
    ),
    "W1": (
        lambda c: c.domains.create(name="lab", alias="l").id,
        "POST", "/auth/domains", {}, {"name": "lab", "alias": "l"}, ok({"id": "d1"}, status=201), "d1",
    ),
    "W1 without alias": (
        lambda c: c.domains.create(name="lab").id, "POST", "/auth/domains", {}, {"name": "lab"}, ok({"id": "d1"}), "d1",
    ),
    "domains": (
        lambda c: [d.id for d in c.domains.list()],
        "GET", "/auth/domains", {"limit": "100", "offset": "0"}, None, page("domains", {"id": "d1"}), ["d1"],
    ),
    "domain": (lambda c: c.domains.get("d1").id, "GET", "/auth/domains/d1", {}, None, ok({"id": "d1"}), "d1"),
    "domain update": (
        lambda c: c.domains.update("d1", name="new"), "PATCH", "/auth/domains/d1", {}, {"name": "new"}, ok(), None,
    ),
    "domain enable": (lambda c: c.domains.enable("d1"), "POST", "/auth/domains/d1/enable", {}, None, ok(), None),
    "domain disable": (lambda c: c.domains.disable("d1"), "POST", "/auth/domains/d1/disable", {}, None, ok(), None),
    "members": (
        lambda c: [u.id for u in c.domains.members("d1")],
        "GET", "/auth/domains/d1/users", {"limit": "100", "offset": "0"}, None, page("users", USER_RECORD), ["u1"],
    ),
    "domain roles": (
        lambda c: [r.name for r in c.domains.roles.list("d1")],
        "GET", "/auth/domains/d1/roles", {"limit": "100", "offset": "0"}, None,
        page("roles", {"id": "r", "role_name": "admin"}), ["admin"],
    ),
    "domain actions": (
        lambda c: c.domains.roles.available_actions(),
        "GET", "/auth/domains/roles/available-actions", {}, None, ok({"available_actions": ["read"]}), ("read",),
    ),
    "T8": (
        lambda c: c.workspace("d").certificates.ca_token(),
        "GET", "/certs/certs/get-ca/token", {}, None, ok({"token": "t"}), "t",
    ),
    "T9": (
        lambda c: c.workspace("d").certificates.download_ca("t"),
        "GET", "/certs/certs/download-ca", {"token": "t"}, None,
        httpx.Response(200, content=b"-----BEGIN CERTIFICATE-----\n"), "-----BEGIN CERTIFICATE-----\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLIENT_CASES)
def test_a_method_outside_of_workspaces_calls_its_route(name: str) -> None:
    call, method, path, query, body, reply, result = CLIENT_CASES[name]
    prism = ScriptedPrism([reply])
    assert call(client_of(prism)) == result
    request = prism.last
    assert (request.method, request.url.path, dict(request.url.params)) == (method, path, query)
    assert (json.loads(request.content) if request.content else None) == body
    assert len(prism.requests) == 1


def test_a_registration_carries_no_token() -> None:
    prism = ScriptedPrism([ok(USER_RECORD, status=201)])
    client_of(prism).users.register(email="a@b", username="a", password="p" * 8, first_name="", last_name="")
    assert prism.logins == 0
    assert "authorization" not in prism.last.headers


def test_d11_the_paths_of_the_services_are_configuration() -> None:
    prism = ScriptedPrism([page("domains"), page("cvms")])
    client = client_of(prism, paths=Paths(domains="/workspaces/domains/", cvms="/v2/backends"))
    list(client.domains.list())
    list(client.workspace("d").cvms.list())
    assert [request.url.path for request in prism.requests] == ["/workspaces/domains", "/v2/backends/d/cvms"]


def test_d7_the_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    prism = ScriptedPrism([page("domains")])
    client = PrismClient(
        "https://gateway.example/prism/",
        TokenCredentials("t"),
        transport=httpx.MockTransport(prefixed(prism)),
    )
    list(client.domains.list())
    assert prism.last.url.path == "/auth/domains"


def prefixed(prism: ScriptedPrism) -> Callable[[httpx.Request], httpx.Response]:
    """Serves below `/prism`, as a gateway does."""

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.path.startswith("/prism/")
        request.url = request.url.copy_with(path=request.url.path.removeprefix("/prism"))
        return prism(request)

    return respond


@pytest.mark.parametrize("reply", [httpx.Response(200, json=True), ok({"uploaded": True})])
def test_d23_a_key_check_may_be_a_bare_boolean(reply: httpx.Response) -> None:
    workspace, _ = workspace_of(reply)
    assert workspace.computations.has_key("c1") is True


def test_d23_a_key_check_that_finds_nothing_is_false() -> None:
    workspace, _ = workspace_of(refused(404))
    assert workspace.computations.has_key("c1") is False


def test_d22_a_key_is_sent_as_base64_of_the_pem_text() -> None:
    workspace, prism = workspace_of(ok())
    workspace.computations.upload_key("c1", "PEM")
    assert sent_json(prism.last) == {"key": base64.b64encode(b"PEM").decode()}


@pytest.mark.parametrize(
    "config",
    [
        AgentConfigRecord(server_key="KEY"),
        AgentConfigRecord(cert_file="CERT"),
        AgentConfigRecord(server_ca_file="CA"),
        AgentConfigRecord(cert_file="C", server_key="K", attested_tls=True),
    ],
)
def test_d28_files_of_no_tls_mode_are_refused_before_any_call(config: AgentConfigRecord) -> None:
    workspace, prism = workspace_of(ok())
    with pytest.raises(InvalidInput, match="no TLS mode"):
        workspace.computations.create(name="n", description="d", agent_config=config)
    with pytest.raises(InvalidInput, match="no TLS mode"):
        workspace.computations.update("c", name="n", description="d", agent_config=config)
    assert prism.requests == []


def test_d27_pem_texts_go_as_they_are_and_all_six_fields_are_sent() -> None:
    workspace, prism = workspace_of(ok({"id": "c1"}))
    config = AgentConfigRecord(cert_file="CERT\n", server_key="KEY\n")
    workspace.computations.create(name="n", description="d", agent_config=config)
    assert sent_json(prism.last)["agent_config"] == {
        "log_level": "",
        "cert_file": "CERT\n",
        "server_key": "KEY\n",
        "server_ca_file": "",
        "client_ca_file": "",
        "attested_tls": False,
    }


@pytest.mark.fault(42)
def test_d20_a_stop_is_sent_once_even_when_the_server_is_busy() -> None:
    workspace, prism = workspace_of(refused(503), ok())
    with pytest.raises(Exception, match="status 503"):
        workspace.computations.stop("c1")
    assert len(prism.requests) == 1


def test_d16_an_update_sends_the_complete_body_and_leaves_the_configuration_out_to_keep_it() -> None:
    workspace, prism = workspace_of(ok())
    workspace.computations.update("c1", name="n", description="d")
    assert sent_json(prism.last) == {"name": "n", "description": "d"}
    workspace.computations.update("c1", name="n", description="d", agent_config=AgentConfigRecord())
    assert len(sent_json(prism.last)["agent_config"]) == 6


def test_d26_a_manifest_is_passed_on_whole() -> None:
    manifest = {"id": "c1", "algorithm": {"hash": [0] * 32}, "something_new": [1.5, None, {"a": True}]}
    workspace, _ = workspace_of(ok(manifest))
    assert workspace.computations.manifest("c1") == manifest


def test_d30_the_checksum_is_always_sent_and_the_sample_only_where_there_is_one() -> None:
    workspace, prism = workspace_of(ok({"id": "a1"}))
    workspace.assets.create(AssetContent(AssetKind.DATASET, "flowers", "ab" * 32))
    assert sent_json(prism.last)["asset"]["checksum"] == "ab" * 32
    assert "asset" not in sent_json(prism.last)["asset"]


def test_d31_an_unlink_is_a_put_and_fine_where_nothing_is_linked() -> None:
    workspace, prism = workspace_of(refused(404))
    workspace.assets.unlink("a1", "c1")
    assert prism.last.method == "PUT"


@pytest.mark.parametrize("provider", ["azure", "gcp", "external", "ultraviolet", "manager"])
@pytest.mark.parametrize("platform", Platform)
def test_d33_d34_a_path_has_the_provider_as_written_and_the_canonical_platform(
    provider: str, platform: Platform
) -> None:
    workspace, prism = workspace_of(ok({"id": "v1"}))
    workspace.cvms.create(provider=provider, vcpus=8, platform=platform, name="n")
    assert prism.last.url.path == f"{V}/{provider}/8/{platform.value}"


def test_d40_a_vm_has_no_update() -> None:
    workspace, _ = workspace_of(ok())
    assert not hasattr(workspace.cvms, "update")


def test_d41_a_certificate_is_issued_for_a_cvm_and_may_name_no_address() -> None:
    workspace, prism = workspace_of(ok({"SerialNumber": "418"}))
    assert workspace.certificates.issue("v1") == "418"
    assert prism.last.url.path == f"{T}/issue/cvm/v1"
    assert sent_json(prism.last) == {"ip_addresses": []}


def test_d44_renew_and_revoke_take_an_empty_answer() -> None:
    workspace, _ = workspace_of(httpx.Response(200))
    workspace.certificates.renew("418")
    workspace.certificates.revoke("418")


def test_d56_times_are_sent_in_utc() -> None:
    workspace, prism = workspace_of(page("logs"))
    list(workspace.computations.logs("c1", since=NOON, until=NOON + timedelta(microseconds=5)))
    assert prism.last.url.params["from"] == "2026-01-12T12:00:00Z"
    assert prism.last.url.params["to"] == "2026-01-12T12:00:00.000005Z"


@pytest.mark.fault(12)
def test_d61_a_refusal_over_quota_names_the_resource() -> None:
    workspace, _ = workspace_of(refused(403, "quota: computations"))
    with pytest.raises(PermissionDenied, match="quota: computations"):
        workspace.computations.create(name="n", description="d")


def test_d47_the_bytes_of_a_policy_are_unchanged_whatever_they_are() -> None:
    opaque = bytes(range(256))
    workspace, _ = workspace_of(ok({"attestation_policy": base64.b64encode(opaque).decode()}))
    assert workspace.cvms.attestation_policy("v1") == opaque


def test_a_policy_reply_without_a_policy_is_no_empty_policy() -> None:
    workspace, _ = workspace_of(ok({"attestation_policy": ""}))
    with pytest.raises(UnexpectedReply):
        workspace.cvms.attestation_policy("v1")


@pytest.mark.parametrize(
    ("segment", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a b", "a%20b"),
        ("../../users", "..%2F..%2Fusers"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("100%", "100%25"),
        ("é", "%C3%A9"),
        ("a%2Fb", "a%252Fb"),
    ],
)
def test_an_id_never_reaches_another_route(segment: str, path: str) -> None:
    workspace, prism = workspace_of(ok({"id": "v"}))
    workspace.cvms.get(segment)
    assert prism.last.url.raw_path.decode() == f"{V}/{path}?domainID={DOMAIN}"


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_an_id_that_names_a_folder_is_refused(segment: str) -> None:
    workspace, prism = workspace_of(ok())
    with pytest.raises(InvalidInput, match="is not an id"):
        workspace.cvms.delete(segment)
    assert prism.requests == []


DOMAINS = [
    {"id": "d1", "name": "research", "alias": "res"},
    {"id": "d2", "name": "res", "alias": "other"},
    {"id": "d3", "name": "twin", "alias": "t1"},
    {"id": "d4", "name": "twin", "alias": "t2"},
]


@pytest.mark.parametrize(
    ("name", "found"), [("d2", "d2"), ("res", "d1"), ("research", "d1"), ("t2", "d4"), ("nowhere", None)]
)
def test_a_workspace_is_found_by_id_then_alias_then_name(name: str, found: str | None) -> None:
    domain = client_of(ScriptedPrism([page("domains", *DOMAINS)])).domains.find(name)
    assert (domain.id if domain else None) == found


def test_a_name_that_stands_for_two_workspaces_is_a_conflict() -> None:
    client = client_of(ScriptedPrism([page("domains", *DOMAINS)]))
    with pytest.raises(Conflict, match='2 workspaces are called "twin"'):
        client.domains.find("twin")


def test_a_user_is_found_by_email_name_or_id() -> None:
    everyone = page("users", USER_RECORD)
    assert client_of(ScriptedPrism([everyone])).users.find("ada@example.com") is not None
    assert client_of(ScriptedPrism([everyone])).users.find("ada") is not None
    by_id = client_of(ScriptedPrism([page("users"), ok(USER_RECORD)])).users.find("u1")
    assert by_id is not None
    assert client_of(ScriptedPrism([page("users"), refused(404)])).users.find("nobody") is None
    assert client_of(ScriptedPrism([page("users")])).users.find("nobody@example.com") is None


def test_every_documented_call_has_a_method_but_ocsp() -> None:
    documented = {
        *(f"C{number}" for number in range(1, 15)),
        *(f"A{number}" for number in range(1, 9)),
        *(f"V{number}" for number in range(1, 7)),
        *(f"T{number}" for number in range(1, 10)),
        "U1", "U4", "W1", "E1", "E2", "L1",
    }  # fmt: skip
    assert documented <= {*CASES, *CLIENT_CASES}
