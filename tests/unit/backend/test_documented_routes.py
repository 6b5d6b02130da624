"""Every route that prism-rest.md section 2 documents is served, under its documented method and path."""

from __future__ import annotations

from typing import Final

import pytest
from starlette.routing import Match

from prism_iac.backend._guard import GuardedRoute
from tests.unit.backend.support import the_api

DOCUMENTED: Final[dict[str, tuple[str, str, str]]] = {
    "U1": ("POST", "/users", "register_user"),
    "U2": ("POST", "/users/tokens/issue", "issue_token"),
    "U3": ("POST", "/users/tokens/refresh", "refresh_token"),
    "U4": ("GET", "/users", "list_users"),
    "W1": ("POST", "/auth/domains", "create_domain"),
    "C1": ("POST", "/computations/d/computations", "create_computation"),
    "C2": ("GET", "/computations/d/computations", "list_computations"),
    "C3": ("GET", "/computations/d/computations/c", "get_computation"),
    "C4": ("PUT", "/computations/d/computations/c", "update_computation"),
    "C5": ("DELETE", "/computations/d/computations/c", "delete_computation"),
    "C6": ("POST", "/computations/d/computations/c/run", "run_computation"),
    "C7": ("GET", "/computations/d/computations/c/run", "get_latest_run"),
    "C8": ("GET", "/computations/d/computations/runs", "list_runs"),
    "C9": ("GET", "/computations/d/computations/statistics", "get_computation_statistics"),
    "C10": ("POST", "/computations/d/computations/c/key", "upload_key"),
    "C11": ("GET", "/computations/d/computations/c/key", "check_key"),
    "C12": ("POST", "/computations/d/computations/c/dryrun", "dry_run"),
    "C13": ("GET", "/computations/d/computations/c/stop", "stop_computation"),
    "C14": ("GET", "/computations/d/computations/c/manifest", "get_manifest"),
    "A1": ("POST", "/computations/d/assets", "create_asset"),
    "A2": ("GET", "/computations/d/assets", "list_assets"),
    "A3": ("GET", "/computations/d/assets/a", "get_asset"),
    "A4": ("PUT", "/computations/d/assets/a", "update_asset"),
    "A5": ("DELETE", "/computations/d/assets/a", "delete_asset"),
    "A6": ("POST", "/computations/d/assets/a/c", "link_asset"),
    "A7": ("GET", "/computations/d/assets/a/computations", "list_asset_computations"),
    "A8": ("PUT", "/computations/d/assets/a/c", "unlink_asset"),
    "V1": ("POST", "/backends/d/cvms/external/2/sev-snp", "create_cvm"),
    "V2": ("GET", "/backends/d/cvms", "list_cvms"),
    "V3": ("GET", "/backends/d/cvms/v", "get_cvm"),
    "V4": ("DELETE", "/backends/d/cvms/v", "delete_cvm"),
    "V5": ("GET", "/backends/d/cvms/v/statistics", "get_cvm_statistics"),
    "V6": ("GET", "/backends/d/cvms/v/attestation_policy", "get_attestation_policy"),
    "T1": ("POST", "/certs/d/certs/issue/cvm/v", "issue_certificate"),
    "T2": ("PATCH", "/certs/d/certs/1/renew", "renew_certificate"),
    "T3": ("PATCH", "/certs/d/certs/1/revoke", "revoke_certificate"),
    "T4": ("GET", "/certs/d/certs", "list_certificates"),
    "T5": ("DELETE", "/certs/d/certs", "delete_certificates"),
    "T6": ("GET", "/certs/d/certs/1/download/token", "get_download_token"),
    "T7": ("GET", "/certs/d/certs/v/download", "download_certificate"),
    "T8": ("GET", "/certs/certs/get-ca/token", "get_ca_token"),
    "T9": ("GET", "/certs/certs/download-ca", "download_ca"),
    "T10": ("POST", "/certs/ocsp", "check_certificate_status"),
    "E1": ("GET", "/computations/d/computations/c/events", "list_events"),
    "E2": ("GET", "/computations/d/computations/c/status", "get_latest_event"),
    "L1": ("GET", "/computations/d/computations/c/logs", "list_logs"),
    # beyond the numbered ones: section 1.1 and D20
    "health of computations": ("GET", "/computations/health", "computations_health"),
    "health of users": ("GET", "/users/health", "users_health"),
    "D20": ("POST", "/computations/d/computations/c/stop", "stop_computation"),
}


@pytest.mark.parametrize("call", DOCUMENTED)
def test_a_documented_call_reaches_its_operation(call: str) -> None:
    method, path, operation = DOCUMENTED[call]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    routes = (route for route in the_api().routes if isinstance(route, GuardedRoute))
    first = next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
    assert first is not None
    assert first.name == operation
