"""The configuration of a Pulumi stack: the secrets that a stack file refers to, and the schema of its file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from jsonschema import Draft202012Validator

from prism_iac.model.resources import CertificateBundle
from prism_iac.model.schema import schemas
from prism_iac.pki import issue_bundle
from prism_iac.spec import validate_stack
from tests.engine.project import Project
from tests.engine.provider.platform_repo import PlatformRepo

PASSPHRASE: Final = "correct horse battery staple"
STACK: Final = """
    environment: dev
    workspace: research
    participants: {ada: {user: ada@example.com}}
    assets: {adding: {kind: algorithm, provider: ada, file: addition.py}}
    certificates:
      brought:
        source: files
        mode: tls
        files:
          ca_certificate: ca.pem
          server_certificate: server.pem
          server_key: server.key
          passphrase: "${secret.config.brought-passphrase}"
    computations:
      sum:
        description: Adds
        algorithm: adding
        result_consumers: [ada]
        agent: {tls: tls, certificates: brought}
"""


def bring_encrypted_key(project: Project) -> None:
    """Write certificates that somebody else made, the key under a passphrase."""
    wanted = CertificateBundle.parse({"mode": "mtls", "key": {"algorithm": "ecdsa"}})
    bundle = issue_bundle(wanted, now=datetime.now(UTC))
    assert bundle.server_certificate is not None
    assert bundle.ca_certificate is not None
    assert bundle.server_key is not None
    key = load_pem_private_key(bundle.server_key, None)
    sealed = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
    )
    project.write("ca.pem", bundle.ca_certificate.decode())
    project.write("server.pem", bundle.server_certificate.decode())
    project.write("server.key", sealed.decode()).chmod(0o600)


def test_a_secret_that_a_stack_file_refers_to_is_told_when_it_is_missing_and_is_nowhere_when_it_is_there(
    repo: PlatformRepo,
) -> None:
    project = repo.project
    bring_encrypted_key(project)
    stack = project.write("stack.yaml", STACK)
    project.program('import prism_iac\n\nprism_iac.StackFile("stack.yaml")\n')
    assert validate_stack(stack) == ()

    (missing,) = {error for error in project.preview(succeeds=False).errors if "stack.yaml" in error}
    assert "stack.yaml:14:19: certificates.brought.files.passphrase" in missing
    assert "pulumi config set --secret brought-passphrase" in missing
    project.set_config("brought-passphrase", PASSPHRASE)
    assert "is not secret" in project.preview(succeeds=False).text

    project.set_config("brought-passphrase", PASSPHRASE, secret=True)
    told = [project.preview().text, project.up().text]
    assert project.preview().changes == {}
    assert PASSPHRASE not in "".join(told)
    assert PASSPHRASE not in json.dumps(project.deployment(show_secrets=True))
    assert (
        "BEGIN PRIVATE KEY" in project.state(show_secrets=True)["brought"].outputs["server_key"]["plaintext"]
    )

    project.write("stack.yaml", STACK.replace("secret.config.brought-passphrase", "secret.env.BROUGHT"))
    assert "the environment has no BROUGHT" in project.preview(succeeds=False).text
    project.environ["BROUGHT"] = PASSPHRASE
    assert project.preview().changes == {}


def document_of(project: Project) -> Any:
    text = (project.folder / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schemas/pulumi-config.schema.json\n")
    return yaml.safe_load(text)


@pytest.mark.parametrize("as_parts", [True, False])
def test_what_the_engine_writes_fits_the_schema_of_the_configuration(
    project: Project, *, as_parts: bool
) -> None:
    validator = Draft202012Validator(schemas()["pulumi-config"])
    file = project.folder / "Pulumi.dev.yaml"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(
        f"# yaml-language-server: $schema=schemas/pulumi-config.schema.json\n{before}", encoding="utf-8"
    )
    project.set_config("prism:workspace", "research")
    project.set_config("prism:username", "ada@example.com")
    project.set_config("prism:endpoint", "https://prism.example.com")
    project.set_config("threshold", "3")
    for key in ("prism:token", "prism:password", "brought-passphrase"):
        project.set_config(key, "hunter2", secret=True)
    if as_parts:
        part = 'prism:participants["ada@example.com"].password'
        project.pulumi("config", "set", "--path", "--secret", part, "hunter2")
    else:
        project.set_config("prism:participants", '{"ada@example.com": {"password": "hunter2"}}', secret=True)
    document = document_of(project)
    validator.validate(document)
    assert "hunter2" not in json.dumps(document)

    project.set_config("prism:token", "hunter2")
    project.set_config("prism:workspaces", "research")
    project.set_config("prism:endpoint", "prism.example.com")
    wrong = {error.path[-1] for error in validator.iter_errors(document_of(project))}
    assert wrong == {"prism:token", "prism:endpoint", "config"}
