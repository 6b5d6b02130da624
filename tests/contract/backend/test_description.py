"""The API's description is true: schemathesis asks a running instance what the description promises.

`PRISM_IAC_API_EXAMPLES` sets how many examples each operation gets, `PRISM_IAC_API_PHASES` how they are found; `make fuzz`
gives each operation many, in every way that schemathesis knows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from prism_iac.backend import Instance, start, stop
from tests.unit.backend.access import ROUTES
from tests.unit.backend.support import A_SHA3, Person, Workspace

EXAMPLES: Final = os.environ.get("PRISM_IAC_API_EXAMPLES", "2")
PHASES: Final = os.environ.get("PRISM_IAC_API_PHASES", "fuzzing")

REFUSES_WHAT_NO_SCHEMA_CAN_SAY: Final = {
    "PATCH /users/secret": "the old password must be right",
    "POST /auth/domains": "an alias must not look like an id",
    "PATCH /auth/domains/{domain_id}": "an alias must not look like an id",
    "POST /auth/domains/{domain_id}/roles": "actions are those of workspaces",
    "POST /auth/domains/{domain_id}/roles/{role_id}/actions": "actions are those of workspaces",
    "POST /auth/domains/{domain_id}/roles/{role_id}/actions/delete": "actions are those of workspaces",
    "POST /computations/{domain_id}/computations": "the TLS files must make a mode, and the owner is the caller",
    "PUT /computations/{domain_id}/computations/{computation_id}": "as for the create",
    "POST /computations/{domain_id}/computations/{computation_id}/roles": "actions are those of computations",
    "POST /computations/{domain_id}/computations/{computation_id}/roles/{role_id}/actions": "the same",
    "POST /computations/{domain_id}/computations/{computation_id}/roles/{role_id}/actions/delete": "the same",
    "POST /computations/{domain_id}/computations/{computation_id}/key": "a key must be one",
    "POST /computations/{domain_id}/computations/{computation_id}/run": "something may be missing",
    "GET /computations/{domain_id}/computations/{computation_id}/manifest": "something may be missing",
    "GET /computations/{domain_id}/computations/{computation_id}/events": "a moment must have a place in UTC",
    "GET /computations/{domain_id}/computations/{computation_id}/logs": "a moment must have a place in UTC",
    "POST /computations/{domain_id}/assets": "a checksum or a sample must be there, the sample base64",
    "PUT /computations/{domain_id}/assets/{asset_id}": "the sample must be base64",
    "POST /backends/{domain_id}/cvms/{provider}/{vcpu}/{cc_platform}": "clouds offer certain counts",
    "POST /certs/{domain_id}/certs/issue/{entity_type}/{entity_id}": "addresses must be addresses",
}
"""The operations that refuse (400, 422) some of what their schema allows, and why."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("described") / "backend"


@pytest.fixture(scope="module")
def instance(data: Path) -> Iterator[Instance]:
    yield start(data)
    stop(data)


def test_a_running_instance_does_what_its_description_says(
    instance: Instance, data: Path, tmp_path: Path
) -> None:
    admin = json.loads((data / "admin.json").read_bytes())
    with httpx.Client(base_url=instance.rest_url) as client:
        body = {"username": admin["username"], "password": admin["password"]}
        token = client.post("/users/tokens/issue", json=body).json()["access_token"]
        (tmp_path / "schemathesis.toml").write_text(configuration(Person(client, "", token, "admin")))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
    options = [
        "--max-examples",
        EXAMPLES,
        "--seed",
        "1",
        "--phases",
        PHASES,
        "--checks",
        "all",
        "--no-color",
        "--continue-on-failure",
    ]
    said = subprocess.run(
        [
            *command,
            f"{instance.rest_url}/openapi.json",
            "--header",
            f"Authorization: Bearer {token}",
            *options,
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.contract.backend.schemathesis_hooks",
            "PYTHONPATH": str(Path.cwd()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    count = sum(1 for _ in all_operations())
    assert f"{count} selected / {count} total" in said.stdout


def configuration(root: Person) -> str:
    """Things that exist for the ids in paths, and what is expected beside the schema."""
    lab = Workspace(root, root.ok("POST", "/auth/domains", {"name": "lab"})["id"])
    cvm = lab.cvm()
    asset = {"description": "d", "asset_type": "dataset", "checksum": A_SHA3}
    known = {
        "path.domain_id": lab.id,
        "query.domainID": lab.id,
        "path.computation_id": lab.computation(),
        "path.asset_id": root.ok("POST", lab.assets, {"asset": asset})["id"],
        "path.cvm_id": cvm,
        "path.entity_id": cvm,
        "path.serial_number": root.ok("GET", lab.certs)["certificates"][0]["serial_number"],
    }
    lines = ["[parameters]", *(f'"{name}" = "{value}"' for name, value in known.items())]
    for operation in REFUSES_WHAT_NO_SCHEMA_CAN_SAY:
        lines += ["[[operations]]", f'include-name = "{operation}"']
        lines += [
            'checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409", "422"]'
        ]
    return "\n".join(lines)


def test_every_operation_documents_its_refusals(instance: Instance) -> None:
    description = httpx.get(f"{instance.rest_url}/openapi.json").json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len(operations) == sum(1 for _ in all_operations())
    for operation in operations:
        is_public = "security" not in operation
        assert is_public or operation["responses"].keys() >= {"400", "401", "403", "503"}
        assert "200" in operation["responses"] or {"201", "204"} & operation["responses"].keys()
    assert "HTTPValidationError" not in json.dumps(description)
    assert httpx.get(f"{instance.rest_url}/docs").status_code == 200


def all_operations() -> Iterator[str]:
    for name, route in ROUTES.items():
        yield name
        if route.path.endswith("/stop"):
            yield f"{name} by POST"
