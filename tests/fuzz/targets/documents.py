"""Files of a platform repository: stack files with what they extend and include, locks, records, manifests, plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml

from prism_iac.cli._checksum import _manifest_digest
from prism_iac.cli.forge._identity import _trust
from prism_iac.cli.plan._read import read_plan
from prism_iac.errors import PrismError
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, RemoteSource, computation_id_of
from prism_iac.model.resources import KINDS, KeyAlgorithm
from prism_iac.model.stack import LockFile
from prism_iac.pki import Envelope, generate_key_pair, load_private_key
from prism_iac.plan import Plan
from prism_iac.prism._json import Malformed, decode
from prism_iac.provider._deployment import _settings
from prism_iac.spec import composed, load_stack
from prism_iac.spec.lock import edit_lock, read_lock
from prism_iac.spec.promotions import PAYLOAD_TYPE, Promotion, read_record
from tests.fuzz.target import Target, reads_file

__all__ = ["TARGETS"]

_NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
_ROOT = Path(__file__).parents[3]
_PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
_BASE = """\
workspace: research
participants: {ada: {user: ada@example.com}}
variables: {region: {type: string, default: north}}
"""
_PART = """\
computations:
  apart: {description: Adds, algorithm: adding, result_consumers: [ada], agent: {tls: none}}
"""
_STACK = """\
extends: base.yaml
include: part.yaml
environment: dev
variables:
  sites: {type: list, default: [eu, us]}
participants:
  ada: {user: ada@example.com}
  grace: {user: "grace@${var.region}.example"}
assets:
  adding: {kind: algorithm, provider: grace, file: adding.py, runtime: python}
  numbers: {kind: dataset, provider: ada, file_name: numbers.csv, checksum: 5f0b4f5c0a7e1e0f7f3f3f4a2a0a6d2c9a1b8c7d6e5f4a3b2c1d0e9f8a7b6c5d}
certificates:
  tls: {mode: mtls, key: {algorithm: ecdsa, size: 256}, dns_names: [localhost], validity: 90d, renew_before: 10d}
attestation_policies:
  snp: {measurement: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f}
templates:
  worker:
    parameters: {vcpus: {type: integer, default: 2}, memory: {type: integer}}
    entry: {provider: local, vcpus: "${param.vcpus}", limits: {memory_mib: "${param.memory}", processes: 9}}
vms:
  "worker-${each.site}": {for_each: {site: "${var.sites}"}, template: worker, values: {memory: 512}}
computations:
  one: &one
    description: >-
      Adds
      numbers
    algorithm: adding
    datasets: [numbers]
    result_consumers: [ada, grace]
    agent: {tls: mtls, certificates: tls, log_level: debug}
  two: {<<: *one, description: 'Adds "more"', vm: worker-eu}
rules:
  waivers: {}
"""


def _lay_out(folder: Path) -> None:
    (folder / "base.yaml").write_text(_BASE)
    (folder / "part.yaml").write_text(_PART)
    (folder / "adding.py").write_text("print(1)\n")


def _stack(path: Path) -> None:
    load_stack(path, environ={"HOME": str(path.parent)}, now=lambda: _NOW)
    whole = path.with_name("whole.yaml")
    document = composed(path)
    whole.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    assert composed(whole) == document


def _lock(path: Path) -> None:
    locked = read_lock(path.with_name("stack.yaml"))
    assert locked is not None
    again = path.parent / "again" / path.name
    again.parent.mkdir(exist_ok=True)
    again.write_text(edit_lock(None, locked.pins))
    found = read_lock(again.with_name("stack.yaml"))
    assert found is not None
    assert found.pins == locked.pins


def _plan(path: Path) -> None:
    plan = read_plan(path)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def _configuration(data: bytes) -> None:
    """The values that the engine hands over of `Pulumi.<stack>.yaml`: one a line, `name: value`."""
    lines = (line.partition(": ") for line in data.decode("utf-8", "replace").splitlines())
    _settings({name: value for name, _, value in lines if value})


def _properties(data: bytes) -> None:
    """What a program declares, or what state recorded: the kind in the first line, JSON in the rest."""
    kind, _, text = data.partition(b"\n")
    model = KINDS.get(kind.decode("ascii", "replace"), KINDS["Computation"])
    document = decode(text)
    if not isinstance(document, dict):
        raise Malformed("no properties")
    resource = model.parse(document)
    assert model.parse(resource.properties()) == resource


def _manifest(path: Path) -> None:
    _manifest_digest(path)
    manifest = Manifest.parse(path.read_bytes())
    assert Manifest.parse(manifest.canonical_bytes()) == manifest


def _trusted(path: Path) -> None:
    _trust(path)


def _stacks() -> Iterator[bytes]:
    yield _STACK.encode()


def _pins() -> LockFile:
    digest = {"sha3_256": "5f" * 32}
    return LockFile.model_validate(
        {
            "environment": "dev",
            "assets": {"numbers": digest},
            "attestation_policies": {"snp": {**digest, "measurement": "5f" * 48}},
            "computations": {"one": {"manifest_sha3_256": "5f" * 32}},
        }
    )


def _locks() -> Iterator[bytes]:
    yield edit_lock(None, _pins()).encode()


def _records() -> Iterator[bytes]:
    key = generate_key_pair(KeyAlgorithm.ED25519)
    digest = "5f" * 32
    evidence = {
        "run": "run-1",
        "number": 1,
        "manifest_sha3_256": digest,
        "ended": "2026-01-12T09:30:00+00:00",
    }
    carried = {
        "source_manifest_sha3_256": digest,
        "manifest_sha3_256": digest,
        "assets": {"numbers": digest},
        "evidence": evidence,
    }
    promotion = Promotion.model_validate(
        {
            "number": 1,
            "source": "dev",
            "environment": "staging",
            "promoted_at": "2026-01-12T09:30:00+00:00",
            "promoted_by": "ada",
            "computations": {"one": carried},
            "lock": _pins(),
            "terms": {"keys": {"ada": "key"}, "approvals": 0, "approvers": []},
        }
    )
    yield Envelope(PAYLOAD_TYPE, promotion.to_payload()).signed(load_private_key(key.private_pem)).to_bytes()


def _manifests() -> Iterator[bytes]:
    remote = RemoteSource(url="https://example.com/numbers.csv")
    key = b"a key"
    yield Manifest(
        id=computation_id_of("research", "9c41d2e7f0a3"),
        name="one",
        description="Adds",
        algorithm=ManifestAlgorithm(hash=bytes(32), user_key=key),
        datasets=(ManifestDataset(hash=bytes(32), user_key=key, filename="numbers.csv", source=remote),),
        result_consumers=(key,),
    ).canonical_bytes()


def _plans() -> Iterator[bytes]:
    for path in sorted(
        (_ROOT / "tests/unit/plan/expected").glob("*.json"), key=lambda file: file.stat().st_size
    )[-2:]:
        yield path.read_bytes()


def _configurations() -> Iterator[bytes]:
    yield (
        b"endpoint: https://prism.example.com\nworkspace: research\nusername: ada@example.com\npassword: hunter2\n"
        b'participants: {"ada@example.com": {"password": "hunter2"}, "grace@example.com": {"token": "eyJ"}}\n'
    )


def _declared() -> Iterator[bytes]:
    for kind, properties in {
        "Computation": {
            "name": "n",
            "description": "d",
            "workspace": "w",
            "agent": {"tls": "none", "log_level": "INFO"},
        },
        "Asset": {
            "description": "d",
            "workspace": "w",
            "asset_type": "dataset",
            "file_name": "n",
            "checksum": "5f" * 32,
        },
        "Participant": {
            "workspace": "w",
            "computation": "c",
            "user": "Ada@example.com",
            "actions": ["view", "run"],
        },
        "PublicKey": {"workspace": "w", "computation": "c", "user": "ada", "key": _PUBLIC_KEY},
        "ConfidentialVM": {
            "workspace": "w",
            "vcpus": 4.0,
            "limits": {"run_time": "90m"},
            "ready_timeout": "1h",
        },
        "CertificateBundle": {
            "mode": "mtls",
            "key": {"algorithm": "ecdsa"},
            "ip_addresses": ["127.0.0.1", "::1"],
        },
        "AttestationPolicy": {"path": "p.json", "expectations": {"pcr_values": {"sha256": {"0": "00" * 32}}}},
        "ComputationRun": {
            "workspace": "w",
            "computation": "c",
            "vm": "v",
            "triggers": {"a": "b"},
            "wait": False,
        },
    }.items():
        yield kind.encode() + b"\n" + json.dumps(properties).encode()


def _trusts() -> Iterator[bytes]:
    yield (
        b"issuer: https://token.actions.githubusercontent.com\naudience: prism\nclaims:\n"
        b"  repository: example/platform\n  ref: refs/heads/main\n  repository_id: '1'\n"
        b"  job_workflow_ref: example/platform/.github/workflows/stacks.yml@refs/heads/main\n"
    )


TARGETS = (
    Target("stack-file", reads_file("stack.yaml", _stack, beside=_lay_out), _stacks),
    Target("lock-file", reads_file("stack.lock.yaml", _lock), _locks),
    Target("promotion-record", reads_file("0001-from-dev.json", read_record), _records),
    Target("manifest", reads_file("manifest.json", _manifest), _manifests),
    Target("plan", reads_file("plan.json", _plan), _plans),
    Target("configuration", _configuration, _configurations),
    Target("properties", _properties, _declared, (PrismError, Malformed)),
    Target("trusted-jobs", reads_file("trust.yaml", _trusted), _trusts),
)
