"""Every secret of every kind of resource through its whole life, and where it may be found afterwards: nowhere.

Which secrets there are is read from the models and from the table of the configuration, so that one more is asked for
here before it is forgotten.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from prism_iac._engine import SIGNATURE
from prism_iac.model import CONFIGURATION
from prism_iac.model.resources import KINDS, KeyAlgorithm, KeySpec
from prism_iac.model.wire import camel
from prism_iac.pki import Authority, generate_key_pair, load_private_key
from prism_iac.provider.faces import Face
from tests.contract.hypervisor.managers import OwnManager, own_manager
from tests.engine.canaries import Canaries, Sighting, secret_fields, watched
from tests.engine.provider.platform_repo import ADA, WORKSPACE, PlatformRepo

EC: Final = KeySpec(algorithm=KeyAlgorithm.ECDSA)
PASSPHRASE: Final = "canary: seven seas & one harbour"
FACES: Final = {Face.DYNAMIC: "contextlib.nullcontext()", Face.NATIVE: "prism_iac.native_face()"}

PROGRAM: Final = """
    import contextlib
    from pathlib import Path

    import prism_iac
    import pulumi

    config = pulumi.Config()

    def text(name):
        return Path(f"{name}.pem").read_text()

    with FACE:
        made = prism_iac.CertificateBundle(
            "made", mode="mtls", key={"algorithm": "ecdsa"}, clients=["eve"],
            validity="1h", renew_before="59m59s",  # always due
        )
        brought = prism_iac.CertificateBundle(
            "brought", source="files", mode="mtls", files={
                "ca_certificate": text("ca"),
                "server_certificate": text("server"),
                "server_key": text("server_key"),
                "client_certificate": text("client"),
                "client_key": text("client_key"),
                "passphrase": config.require_secret("passphrase"),
            },
        )
        prism_iac.ConfidentialVM(
            "trainer", provider="cocos", manager="MANAGER", agent_log_level=config.get("level") or "debug",
            manager_tls={
                "server_ca": text("ca"), "client_certificate": text("client"), "client_key": text("manager_key")
            },
        )
        numbers = prism_iac.Asset(
            "numbers", asset_type="dataset", provider="ada@example.com", file="numbers.txt", description="d"
        )
        renamed = config.get("renamed")
        computation = prism_iac.Computation(
            "total" if renamed else "sum",
            description=config.get("words") or "adds",
            datasets=[numbers.id],
            agent=made.agent_config("mtls"),
            opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="sum")] if renamed else []),
        )
        prism_iac.Computation("own", description="own key", agent={
            "tls": "tls", "cert_file": text("server"), "server_key": text("own_key")
        })
    pulumi.export("key", made.server_key)
    pulumi.export("agent", computation.agent)
"""


@dataclass
class Stage:
    """A stack at one face, with every secret that there is.

    Attributes:
        seen: The secrets of resources that were met in the state, or given.
    """

    repo: PlatformRepo
    manager: OwnManager
    canaries: Canaries = field(default_factory=Canaries)
    seen: set[tuple[str, ...]] = field(default_factory=set)

    def give(self, name: str, secret: str) -> str:
        """One more secret that somebody gives, by what it is."""
        self.canaries.add(name, secret)
        return secret

    def configure(self, key: str, secret: str) -> None:
        """A secret of the configuration of the stack."""
        self.repo.project.set_config(key, self.give(key, secret), secret=True)
        self.seen.add((key,))

    def look_at_state(self) -> None:
        """Take up the secrets that the state has by now, each of which is encrypted; nothing else holds them."""
        for state in self.repo.project.state(show_secrets=True).values():
            kind = state.type.rpartition(":")[2]
            for location in secret_fields(KINDS[kind]):
                for bag in (state.inputs, state.outputs):
                    for secret in _secrets_at(bag, location):
                        self.canaries.add(".".join((kind, *location)), secret)
                        self.seen.add((kind, *location))
        assert self.canaries.within(json.dumps(self.repo.project.deployment()).encode()) == set()


def _secrets_at(bag: Mapping[str, Any], location: tuple[str, ...]) -> Iterator[str]:
    """The texts at a location of a property bag, all of which must be marked as secret."""
    value: Any = bag
    is_marked = False
    for name in location:
        value, is_marked_here = _unwrapped(value)
        is_marked |= is_marked_here
        value = value.get(name, value.get(camel(name))) if isinstance(value, Mapping) else None
    value, is_marked_here = _unwrapped(value)
    is_marked |= is_marked_here
    texts = list(_texts(value))
    assert is_marked or not texts, f"{'.'.join(location)} is not encrypted"
    yield from texts


def _unwrapped(value: Any) -> tuple[Any, bool]:
    if isinstance(value, Mapping) and SIGNATURE in value:
        return json.loads(value["plaintext"]), True
    return value, False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if "BEGIN CERTIFICATE" not in value:  # stands beside its key, and is for everybody
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)


@pytest.fixture
def stage(repo: PlatformRepo, tmp_path: Path) -> Iterator[Stage]:
    now, day = datetime.now(UTC), timedelta(days=1)
    authority = Authority.create("CA", key=EC, now=now, validity=day)
    server, client = (
        authority.issue(
            common_name=name,
            dns_names=["localhost"],
            ip_addresses=["127.0.0.1"],
            key=EC,
            now=now,
            validity=day,
        )
        for name in ("server", "client")
    )
    for name, content in (
        ("ca", authority.certificate_pem),
        ("server", server.certificate_pem),
        ("client", client.certificate_pem),
        ("manager-key", server.key_pem),
    ):
        repo.project.write(f"{name}.pem", content.decode())
    folder = repo.project.folder
    options = (
        "--certificate",
        f"{folder}/server.pem",
        "--key",
        f"{folder}/manager-key.pem",
        "--client-ca",
        f"{folder}/ca.pem",
    )
    with own_manager(tmp_path / "manager", *options) as manager:
        stage = Stage(repo, manager)

        def write(name: str, what: str, pem: bytes) -> None:
            repo.project.write(f"{name}.pem", stage.give(what, pem.decode())).chmod(0o600)

        sealed = load_private_key(server.key_pem).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
        )
        write("server_key", "the sealed key", sealed)
        stage.give("the key in it", server.key_pem.decode())
        write("client_key", "the participants' key", client.key_pem)
        write("manager_key", "the key for the manager", client.key_pem)
        write("own_key", "an agent's own key", server.key_pem)
        yield stage


VERBOSE: Final = ("--logflow", "-v=9", "--logtostderr")

GIVEN_ALONE: Final = {("CertificateBundle", "files", "passphrase")}
"""What is used once and kept in no state, not even encrypted."""

HOLDERS: Final = {
    "grpc.json": "the engine's own log of its calls",
    "trace": "the engine's own trace, with the calls in it",
    "project/.prism/backend/backend.db": "the backend gives keys to agents",
    "project/.prism/backend/backend.db-wal": "part of the same",
    "project/.prism/backend/admin.json": "for its owner alone",
    "project/.prism/backend/admin.token": "for its owner alone",
    "project/.prism/backend/credentials.json": "for its owner alone",
} | {
    f"project/{name}.pem": "what somebody brought"
    for name in ("server_key", "client_key", "manager_key", "own_key", "manager-key")
}
"""The files that hold secrets, and why they must."""

LOGGED_BY_THE_ENGINE: Final = re.compile(rb'"msg":"(?:Unm|M)arshaling property for RPC\[')
"""With `-v=9` the engine logs each property that it sends or gets, secrets included; nothing else does."""

GETS_THE_CONFIGURATION: Final = re.compile(r"_program\.py|pulumi-language-python-exec|pulumi-resource-prism")
"""The program, by our language host or by the official one, and the native plugin: the engine gives it to them so."""

CARRY_SECRETS: Final = frozenset(
    {
        *(f"/pulumirpc.ResourceProvider/{name}" for name in ("CheckConfig", "DiffConfig", "Configure")),
        *(
            f"/pulumirpc.ResourceProvider/{name}"
            for name in ("Check", "Diff", "Create", "Read", "Update", "Delete")
        ),
        *(f"/pulumirpc.ResourceMonitor/{name}" for name in ("RegisterResource", "RegisterResourceOutputs")),
        "/pulumirpc.ResourceMonitor/GetDeploymentInfo",  # the configuration
        "/pulumirpc.LanguageRuntime/Run",  # the same, for the program
    }
)
"""The calls between the engine and its plugins that carry secrets; what is logged through the engine is not among them."""


@pytest.mark.fault(60, 61)
@pytest.mark.parametrize("face", FACES)
def test_no_secret_of_a_whole_life_is_found_anywhere(stage: Stage, tmp_path: Path, face: Face) -> None:
    project = stage.repo.project
    configure(stage)
    project.program(PROGRAM.replace("FACE", FACES[face]).replace("MANAGER", stage.manager.address))
    project.environ |= {"PULUMI_DEBUG_GRPC": str(tmp_path / "grpc.json"), "PRISM_IAC_TRACEBACK": "1"}
    with watched(tmp_path, stage.canaries) as sightings:
        project.up(*VERBOSE, "--tracing", f"file:{tmp_path / 'trace'}")
        stage.look_at_state()
        project.refresh(*VERBOSE)
        stage.look_at_state()

        # Renewed, replaced, changed in place, renamed.
        for key, value in {"level": "info", "words": "adds up", "renamed": "yes"}.items():
            project.set_config(key, value)
        told = [tell_plan(stage, tmp_path)]
        changed = project.up(*VERBOSE, "--diff")
        assert changed.changes == {"made": "update", "total": "update", "trainer": "replace"}
        stage.look_at_state()
        if face is Face.NATIVE:
            import_again(stage, "own")
            stage.look_at_state()
            project.up(*VERBOSE)
            stage.look_at_state()

        wrong = stage.give("another passphrase", "canary: three coins in a <fountain>")
        project.set_config("passphrase", wrong, secret=True)
        failed = project.preview(*VERBOSE, succeeds=False)
        assert "passphrase" in "".join(failed.errors)
        told += ["".join(failed.errors), project.pulumi("stack", "history", "--json")]
        project.destroy(*VERBOSE)

    assert stage.seen == {
        *((kind, *location) for kind, model in KINDS.items() for location in secret_fields(model)),
        *((f"prism:{name}",) for name, key in CONFIGURATION.items() if key.is_secret),
    }, "a secret of the models has no canary here"
    assert stage.canaries.within("".join(told).encode()) == set()
    assert_nothing_leaked(stage, tmp_path, sightings)


def configure(stage: Stage) -> None:
    """A backend that stays, and every secret of a configuration."""
    repo, project = stage.repo, stage.repo.project
    command = [sys.executable, "-m", "prism_iac.cli", "backend", "up", "--data", str(repo.data / "backend")]
    subprocess.run(command, check=True, capture_output=True)
    assert repo.backend is not None
    with repo.backend as backend:
        accounts = backend.accounts
        password = stage.give("prism:participants", accounts.ensure_user(ADA).password)
        accounts.ensure_member(accounts.ensure_workspace(WORKSPACE).id, ADA)
        project.set_config("prism:endpoint", backend.endpoint)
        project.set_config("prism:controlAddress", backend.control_address)
        stage.configure("prism:password", accounts.admin.password)
    stage.configure("prism:participants", json.dumps({ADA: {"password": password}}))
    stage.configure("prism:token", (repo.data / "backend" / "admin.token").read_text().strip())
    stage.configure("prism:managerKey", generate_key_pair(KeyAlgorithm.ECDSA).private_pem.decode())
    project.set_config("passphrase", stage.give("the passphrase", PASSPHRASE), secret=True)
    stage.seen |= GIVEN_ALONE


def tell_plan(stage: Stage, folder: Path) -> str:
    """The plan as JSON, as text, and as the comment on a pull request."""
    written = folder / "plan.json"
    summary = folder / "summary.md"
    told = run(stage, "plan", "--stack", "dev", "--format", "json", "--output", str(written))
    told += run(
        stage,
        "comment",
        "--plan",
        str(written),
        "--summary",
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert "secret " in written.read_text(), "a plan names the fingerprints of what changes"
    return told + written.read_text() + summary.read_text()


def run(stage: Stage, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "prism_iac.cli", *arguments],
        cwd=stage.repo.project.folder,
        env=stage.repo.project.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def import_again(stage: Stage, name: str) -> None:
    """Have the stack forget a computation, and take it over by its id."""
    project = stage.repo.project
    known = project.state()[name]
    project.pulumi("state", "delete", known.urn, "--yes")
    flags = ("--yes", "--generate-code=false", "--protect=false")
    project.pulumi("import", known.type, name, known.id, *flags)


def assert_nothing_leaked(stage: Stage, folder: Path, sightings: Collection[Sighting]) -> None:
    """State, its backups and history, event logs, what was printed, and what backend, manager, VMs and agents wrote."""
    found = stage.canaries.files(folder)
    verbose = [name for name in found if re.fullmatch(r"project/\.prism/\d+-\w+\.txt", name)]
    assert found.keys() - HOLDERS.keys() == set(verbose)
    assert verbose, "the engine tells secrets by itself: else nothing would be found here at all"
    for name in verbose:
        for line in (folder / name).read_bytes().splitlines():
            assert LOGGED_BY_THE_ENGINE.search(line) or not stage.canaries.within(line), name
    calls = (folder / "grpc.json").read_bytes().splitlines()
    assert {json.loads(line)["method"] for line in calls if stage.canaries.within(line)} <= CARRY_SECRETS

    # Nobody has arguments with secrets, or passes on the environment that the engine gave.
    assert {item.place for item in sightings} <= {"environ"}
    assert [item for item in sightings if not GETS_THE_CONFIGURATION.search(item.process)] == []
    assert {item.secret for item in sightings} <= {
        "the passphrase",
        "another passphrase",
        *(f"prism:{name}" for name in CONFIGURATION),
    }
