"""Every method of the client once against the real server: what goes in comes out as the typed value."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from prism_iac.model import (
    AssetKind,
    ComputationStatus,
    LogLevel,
    Platform,
    TlsMode,
    VmStatus,
    WorkspaceAction,
    sha3_256,
)
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, load_certificates
from prism_iac.prism import (
    AgentConfigRecord,
    AlreadyExists,
    ApiConflict,
    AssetContent,
    CertificateFiles,
    NotFound,
    PermissionDenied,
    PrismClient,
    Rejected,
    UserRecord,
    Workspace,
)

ALGORITHM = AssetContent(AssetKind.ALGORITHM, "a model", "cd" * 32, "risk.py", "text/x-python", b"print(1)\n")


def fresh(name: str) -> str:
    return f"{name} {uuid4()}"


@pytest.fixture
def computation(workspace: Workspace) -> str:
    return workspace.computations.create(name=fresh("computation"), description="d")


@pytest.fixture
def cvm(workspace: Workspace) -> str:
    return workspace.cvms.create(provider="external", vcpus=2, platform=Platform.SEV_SNP, name=fresh("vm"))


@pytest.fixture
def person(ada: PrismClient) -> UserRecord:
    return ada.users.profile()


def test_users_register_and_are_found(admin: PrismClient) -> None:
    name = f"u{uuid4().hex}"
    made = admin.users.register(
        email=f"{name}@example.com", username=name, password="p" * 12, first_name="Una", last_name="M"
    )
    assert (made.username, made.first_name, made.last_name, made.status) == (name, "Una", "M", "enabled")
    assert admin.users.get(made.id) == made
    assert admin.users.find_by_email(made.email) == made
    assert admin.users.find_by_username(name) == made
    assert [admin.users.find(key) for key in (made.id, made.email, name)] == [made] * 3
    assert made in list(admin.users.list())
    with pytest.raises(AlreadyExists):
        admin.users.register(email=made.email, username=name, password="p" * 12, first_name="", last_name="")
    with pytest.raises(Rejected):
        admin.users.register(email="a@b", username="a", password="short", first_name="", last_name="")
    assert admin.users.find("nobody") is None


def test_domains_are_made_changed_closed_and_opened(admin: PrismClient) -> None:
    alias = f"d{uuid4().hex}"
    made = admin.domains.create(name="Lab", alias=alias)
    assert (made.name, made.alias, made.status) == ("Lab", alias, "enabled")
    assert admin.domains.get(made.id) == made
    assert admin.domains.find(alias) == made
    admin.domains.update(made.id, name="Laboratory")
    assert admin.domains.get(made.id).name == "Laboratory"
    admin.domains.disable(made.id)
    assert admin.domains.get(made.id).status == "disabled"
    admin.domains.enable(made.id)
    assert admin.domains.get(made.id).status == "enabled"
    assert [user.username for user in admin.domains.members(made.id)] == ["admin"]
    with pytest.raises(AlreadyExists):
        admin.domains.create(name="Other", alias=alias)


def test_workspace_roles_give_rights(admin: PrismClient, ada: PrismClient, person: UserRecord) -> None:
    domain = admin.domains.create(name=fresh("roles"))
    roles = admin.domains.roles
    assert set(roles.available_actions()) == set(WorkspaceAction)
    role = roles.create(domain.id, name="maker", actions=[WorkspaceAction.READ], members=[person.id])
    assert ada.domains.get(domain.id).id == domain.id
    with pytest.raises(PermissionDenied):
        ada.workspace(domain.id).computations.create(name="n", description="d")
    roles.add_actions(domain.id, role, [WorkspaceAction.CREATE_COMPUTATION])
    assert ada.workspace(domain.id).computations.create(name="n", description="d")
    roles.remove_actions(domain.id, role, [WorkspaceAction.CREATE_COMPUTATION])
    assert roles.actions(domain.id, role) == (WorkspaceAction.READ,)
    roles.rename(domain.id, role, name="reader")
    assert roles.find(domain.id, "reader") == role
    roles.delete(domain.id, role)
    roles.delete(domain.id, role)
    with pytest.raises(NotFound):
        ada.domains.get(domain.id)


def test_computation_roles_and_their_members(
    workspace: Workspace, computation: str, person: UserRecord
) -> None:
    roles = workspace.roles
    role = roles.create(computation, name="night", actions=["view", "run"])
    assert roles.get(computation, role).actions == ("run", "view")
    roles.add_members(computation, role, [person.id])
    assert list(roles.members(computation, role)) == [person.id]
    other = roles.create(computation, name="other", actions=["view"])
    with pytest.raises(ApiConflict, match="night"):
        roles.add_members(computation, other, [person.id])
    roles.remove_members(computation, role, [person.id])
    roles.add_members(computation, other, [person.id])
    roles.remove_all_members(computation, other)
    assert roles.get(computation, other).members == ()
    roles.remove_all_actions(computation, other)
    assert roles.actions(computation, other) == ()
    assert {found.name for found in roles.list(computation)} == {"owner", "night", "other"}
    assert "administrator" in roles.available_actions()
    with pytest.raises(AlreadyExists):
        roles.create(computation, name="night")


def test_a_computation_lives_its_life(workspace: Workspace, admin: PrismClient) -> None:
    name = fresh("life")
    made = workspace.computations.create(name=name, description="first")
    record = workspace.computations.get(made)
    assert (record.name, record.description, record.status) == (name, "first", ComputationStatus.EXECUTABLE)
    assert record.owner == admin.users.profile().id
    assert record.start_time is None
    assert record.agent_config is not None
    assert record.agent_config.tls_mode is TlsMode.NONE
    config = AgentConfigRecord(LogLevel.WARN, cert_file="-----BEGIN A-----", server_key="-----BEGIN B-----")
    workspace.computations.update(made, name=name, description="second", agent_config=config)
    assert workspace.computations.get(made).agent_config == config
    workspace.computations.update(made, name=name, description="third")
    record = workspace.computations.get(made)
    assert (record.description, record.agent_config) == ("third", config)
    assert workspace.computations.get(made, peek=True).agent_config is None
    with pytest.raises(AlreadyExists, match="life"):
        workspace.computations.create(name=name, description="again")
    workspace.computations.delete(made)
    workspace.computations.delete(made)
    with pytest.raises(NotFound):
        workspace.computations.get(made)


def test_a_list_gives_more_when_asked(workspace: Workspace, computation: str) -> None:
    plain = next(found for found in workspace.computations.list() if found.id == computation)
    assert (plain.agent_config, plain.manifest, plain.roles) == (None, None, None)
    asked = workspace.computations.list(include=("agent_config", "manifest", "roles"))
    full = next(found for found in asked if found.id == computation)
    assert full.agent_config == workspace.computations.get(computation).agent_config
    assert full.roles is not None
    assert [role.name for role in full.roles] == ["owner"]


def test_the_server_key_is_shown_to_editors_only(
    workspace: Workspace, ada: PrismClient, person: UserRecord, domain_id: str
) -> None:
    config = AgentConfigRecord(cert_file="-----BEGIN A-----", server_key="-----BEGIN B-----")
    made = workspace.computations.create(name=fresh("secret"), description="d", agent_config=config)
    workspace.roles.create(made, name="viewer", actions=["view"], members=[person.id])
    seen = ada.workspace(domain_id).computations.get(made).agent_config
    assert seen is not None
    assert (seen.cert_file, seen.server_key) == (config.cert_file, "")


def test_keys_dry_run_and_manifest(workspace: Workspace, computation: str, admin: PrismClient) -> None:
    computations = workspace.computations
    assert not computations.dry_run(computation).is_ready
    with pytest.raises(Rejected) as caught:
        computations.manifest(computation)
    assert caught.value.dry_run is not None
    owner = next(role for role in workspace.roles.list(computation) if role.name == "owner")
    workspace.roles.add_actions(computation, owner.id, ["algo_provider", "result_consumer"])
    missing = computations.dry_run(computation)
    assert missing.keys == (admin.users.profile().id,)
    assert computations.has_key(computation) is False
    key = generate_key_pair(KeyAlgorithm.ED25519).public_pem.decode()
    computations.upload_key(computation, key)
    computations.upload_key(computation, key)
    assert computations.has_key(computation) is True
    asset = workspace.assets.create(ALGORITHM)
    workspace.assets.link(asset, computation)
    manifest = computations.manifest(computation)
    assert manifest["id"] == computation
    assert bytes(manifest["algorithm"]["hash"]).hex() == ALGORITHM.checksum
    with pytest.raises(Rejected):
        computations.upload_key(computation, "ssh-ed25519 AAAA")
    with pytest.raises(NotFound):
        computations.run(computation, str(uuid4()))


def test_before_the_first_run_there_is_nothing(workspace: Workspace, computation: str) -> None:
    computations = workspace.computations
    assert computations.latest_run(computation) is None
    assert computations.latest_event(computation) is None
    assert list(computations.events(computation)) == []
    assert list(computations.logs(computation, level=LogLevel.ERROR)) == []
    assert list(computations.runs(computation_id=computation)) == []
    assert all(statistic.count > 0 for statistic in computations.statistics(days=1))
    with pytest.raises(ApiConflict):
        computations.stop(computation)


def test_an_asset_lives_its_life(workspace: Workspace, computation: str, admin: PrismClient) -> None:
    made = workspace.assets.create(ALGORITHM)
    record = workspace.assets.get(made)
    assert (record.asset_type, record.checksum, record.file_name) == (
        AssetKind.ALGORITHM,
        ALGORITHM.checksum,
        "risk.py",
    )
    assert (record.sample, record.mime_type) == (ALGORITHM.sample, ALGORITHM.mime_type)
    assert record.user_id == admin.users.profile().id
    checksum = sha3_256(b"new").hex()
    workspace.assets.update(made, AssetContent(AssetKind.ALGORITHM, "a better model", checksum, "risk.py"))
    changed = workspace.assets.get(made)
    assert (changed.description, changed.checksum, changed.sample) == (
        "a better model",
        checksum,
        ALGORITHM.sample,
    )
    owner = next(role for role in workspace.roles.list(computation) if role.name == "owner")
    workspace.roles.add_actions(computation, owner.id, ["algo_provider"])
    workspace.assets.link(made, computation)
    workspace.assets.link(made, computation)
    assert [found.id for found in workspace.assets.computations(made)] == [computation]
    listed = next(asset for asset in workspace.assets.list() if asset.id == made)
    assert listed.computations == (computation,)
    with pytest.raises(ApiConflict):
        workspace.assets.delete(made)
    workspace.assets.unlink(made, computation)
    workspace.assets.unlink(made, computation)
    workspace.assets.delete(made)
    workspace.assets.delete(made)
    with pytest.raises(NotFound):
        workspace.assets.get(made)


def test_a_vm_that_nobody_makes_is_created_shown_and_removed(workspace: Workspace, cvm: str) -> None:
    record = workspace.cvms.get(cvm)
    assert (record.status, record.state, record.agent_address) == (VmStatus.CREATING, None, None)
    assert (record.provider, record.cc_platform, record.vcpus) == ("external", "sev-snp", 2)
    assert record.monthly_cost_estimate is None
    assert not record.is_ready
    assert [found.id for found in workspace.cvms.list(name=record.name)] == [cvm]
    assert workspace.cvms.statistics(cvm) == ()
    with pytest.raises(NotFound):
        workspace.cvms.attestation_policy(cvm)
    workspace.cvms.delete(cvm)
    workspace.cvms.delete(cvm)
    assert workspace.cvms.get(cvm).is_gone
    assert [found.id for found in workspace.cvms.list(name=record.name)] == []
    assert [found.id for found in workspace.cvms.list(name=record.name, status="inactive")] == [cvm]


@pytest.mark.parametrize("provider", ["aws", "nowhere"])
def test_a_provider_that_prism_does_not_have_is_refused(provider: str, workspace: Workspace) -> None:
    with pytest.raises(Rejected):
        workspace.cvms.create(provider=provider, vcpus=2, platform=Platform.SEV_SNP, name="n")


def test_certificates_are_issued_renewed_downloaded_and_revoked(workspace: Workspace, cvm: str) -> None:
    certificates = workspace.certificates
    born = [found.serial_number for found in certificates.list(cvm_id=cvm)]
    assert len(born) == 1
    serial = certificates.issue(cvm, ip_addresses=("192.0.2.4",))
    files = certificates.fetch(cvm, serial)
    assert is_a_chain(files)
    before = expiry(workspace, cvm, serial)
    certificates.renew(serial)
    assert expiry(workspace, cvm, serial) >= before
    certificates.revoke(serial)
    certificates.revoke(serial)
    assert next(found for found in certificates.list(cvm_id=cvm) if found.serial_number == serial).revoked
    with pytest.raises(ApiConflict):
        certificates.renew(serial)
    certificates.delete(cvm)
    assert list(certificates.list(cvm_id=cvm)) == []


def is_a_chain(files: CertificateFiles) -> bool:
    leaf, ca = (load_certificates(pem.encode())[0] for pem in (files.certificate_pem, files.ca_pem))
    return leaf.issuer == ca.subject and "PRIVATE KEY" in files.private_key_pem


def expiry(workspace: Workspace, cvm: str, serial: str) -> float:
    found = next(found for found in workspace.certificates.list(cvm_id=cvm) if found.serial_number == serial)
    assert found.expiry_time is not None
    return found.expiry_time.timestamp()


def test_the_ca_is_the_one_that_the_backend_keeps(workspace: Workspace, cvm: str) -> None:
    serial = next(workspace.certificates.list(cvm_id=cvm)).serial_number
    assert workspace.certificates.fetch_ca() == workspace.certificates.fetch(cvm, serial).ca_pem


def test_a_stranger_sees_no_workspace(admin: PrismClient, ada: PrismClient) -> None:
    domain = admin.domains.create(name=fresh("private"))
    inside = ada.workspace(domain.id)
    for look in (
        lambda: list(inside.computations.list()),
        lambda: list(inside.cvms.list()),
        lambda: inside.assets.get(str(uuid4())),
        lambda: ada.domains.get(domain.id),
    ):
        with pytest.raises(NotFound):
            look()
    assert domain.id not in [found.id for found in ada.domains.list()]


def test_a_workspace_is_reached_by_its_alias_too(admin: PrismClient) -> None:
    domain = admin.domains.create(name=fresh("alias"), alias=f"a{uuid4().hex}")
    made = admin.workspace(domain.alias).computations.create(name="n", description="d")
    assert admin.workspace(domain.id).computations.get(made).name == "n"


def test_more_than_two_pages_come_whole_and_newest_first(admin: PrismClient) -> None:
    workspace = admin.workspace(admin.domains.create(name=fresh("pages")).id)
    made = [workspace.computations.create(name=f"c{number}", description="d") for number in range(230)]
    assert [found.id for found in workspace.computations.list()] == made[::-1]


def test_a_sample_beyond_its_bound_is_refused(workspace: Workspace) -> None:
    content = AssetContent(AssetKind.DATASET, "too long", "ab" * 32, sample=b"x" * (10_500_000))
    with pytest.raises(Rejected) as caught:
        workspace.assets.create(content)
    assert caught.value.status == 413


def test_a_whole_sample_comes_back(workspace: Workspace) -> None:
    sample = bytes(range(256)) * 30_000
    made = workspace.assets.create(AssetContent(AssetKind.DATASET, "long", "ab" * 32, sample=sample))
    assert workspace.assets.get(made).sample == sample


def test_what_an_error_says_can_be_understood(workspace: Workspace) -> None:
    with pytest.raises(NotFound) as caught:
        workspace.cvms.get("nowhere")
    text = str(caught.value)
    assert text.startswith("GET http://127.0.0.1:")
    assert "/cvms/nowhere: refused with status 404: " in text
    assert caught.value.request_id
    assert json.dumps(text)
