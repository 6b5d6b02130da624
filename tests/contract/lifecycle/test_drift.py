"""Every field of every kind: what an edit behind the back shows at the next refresh, and what shows nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from prism_iac.hypervisor import Vm
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.lifecycle import HANDLERS, Live
from prism_iac.lifecycle.handlers._vm_spec import state_of_process
from prism_iac.model import AssetKind, RemoteSource, VmProvider, VmStatus
from prism_iac.model.resources import AgentConfig, ConfidentialVM, QemuSettings, VmLimits
from prism_iac.prism import AgentConfigRecord, AssetContent
from tests.contract.lifecycle.stage import ADA, EVE, GRACE, Stage, eventually


@dataclass(frozen=True)
class Scene:
    """One resource of a kind, fully said, and what it takes to edit it behind the back."""

    stage: Stage
    live: Live[Any]
    folder: Path

    def edit_computation(self, *, name: str = "sum", words: str = "adds numbers", **agent: Any) -> None:
        computations = self.stage.workspace.computations
        record = computations.get(self.live.id)
        assert record.agent_config is not None
        computations.update(
            self.live.id,
            name=name,
            description=record.description.replace("adds numbers", words),
            agent_config=replace(record.agent_config, **agent),
        )

    def edit_asset(self, **changes: Any) -> None:
        assets = self.stage.session.acting_for(ADA, self.stage.workspace_name).assets
        record = assets.get(self.live.id)
        assert record.asset_type is not None
        words = changes.pop("words", "a dataset")
        content = AssetContent(
            asset_type=record.asset_type,
            description=record.description.replace("a dataset", words),
            checksum=record.checksum,
            file_name=record.file_name,
            mime_type=record.mime_type,
        )
        assets.update(self.live.id, replace(content, **changes))

    def unlink(self, asset_id: str, provider: str) -> None:
        assets = self.stage.session.acting_for(provider, self.stage.workspace_name).assets
        assets.unlink(asset_id, self.live.id)

    def change_members(self, role_name: str, *, add: str = "", remove: str = "") -> None:
        roles, session = self.stage.workspace.roles, self.stage.session
        computation = getattr(self.live.state, "computation", self.live.id)
        (role,) = (role for role in roles.list(computation) if role_name in role.name)
        if add:
            roles.add_members(computation, role.id, [session.user(add, self.stage.workspace_name).id])
        if remove:
            roles.remove_members(computation, role.id, [session.user(remove, self.stage.workspace_name).id])

    def start_another_vm(self, **facts: Any) -> None:
        """Start another process in place of the VM's, from other facts in its folder."""
        hypervisor = self.stage.session.hypervisor(VmProvider.LOCAL)
        vm = hypervisor.find(self.live.id)
        assert vm is not None
        LocalHypervisor(self.stage.data).stop(vm.id)
        file = vm.folder / "vm.json"
        file.write_text(json.dumps(json.loads(file.read_bytes()) | facts))
        LocalHypervisor(self.stage.data).start(vm.id)
        eventually((vm.folder / "evidence.sock").exists)
        eventually(lambda: self.stage.workspace.cvms.get(vm.id).status is VmStatus.ONLINE)

    def take_action(self, action: str) -> None:
        roles, computation = self.stage.workspace.roles, self.live.state.computation
        (role,) = (
            role for role in roles.list(computation) if action in role.actions and role.name != "owner"
        )
        roles.remove_actions(computation, role.id, [action])


SEALED: Final[Mapping[str, Any]] = {
    "url": "s3://lab/numbers.sealed",
    "encrypted": True,
    "kbs_url": "https://kbs.example.com",
    "kbs_resource_path": "default/key/numbers",
}

Edit: TypeAlias = Callable[[Scene], None]

HERE: Final = "is of this machine alone"
SETTLED: Final = "Prism has no call that changes it"
HIDDEN: Final = "Prism never gives it back"
THE_STATE: Final = "the recorded state is all there is of it"
THE_FILE: Final = "makes the file at `path`; a file that is another one is gone"


def _other_pem(scene: Scene) -> str:
    return str(scene.stage.create("CertificateBundle", "other", mode="tls").state.ca_certificate)


ROWS: Final[Mapping[str, Mapping[str, Edit | str]]] = {
    "Computation": {
        "workspace": SETTLED,
        "name": lambda scene: scene.edit_computation(name="total"),
        "description": lambda scene: scene.edit_computation(words="subtracts numbers"),
        "algorithm": lambda scene: scene.unlink(scene.live.state.algorithm, GRACE),
        "datasets": lambda scene: scene.unlink(scene.live.state.datasets[0], ADA),
        "result_consumers": lambda scene: scene.change_members("result_consumer", add=EVE),
        "agent": lambda scene: scene.edit_computation(log_level="error"),
        "stop_on_delete": HERE,
        "export_directory": HERE,
    },
    "Asset": {
        "workspace": SETTLED,
        "asset_type": lambda scene: scene.edit_asset(asset_type=AssetKind.ALGORITHM),
        "provider": SETTLED,
        "file": HERE,
        "checksum": lambda scene: scene.edit_asset(checksum="ab" * 32),
        "file_name": lambda scene: scene.edit_asset(file_name="other.txt"),
        "source": lambda scene: scene.edit_asset(source=RemoteSource.model_validate(SEALED)),
        "description": lambda scene: scene.edit_asset(words="another dataset"),
        "mime_type": lambda scene: scene.edit_asset(mime_type="text/plain"),
        "sample_file": lambda scene: scene.edit_asset(sample=b"another sample"),
    },
    "Participant": {
        "workspace": SETTLED,
        "computation": SETTLED,
        "user": SETTLED,
        "actions": lambda scene: scene.take_action("edit"),
    },
    "PublicKey": {"workspace": SETTLED, "computation": SETTLED, "user": SETTLED, "key": HIDDEN},
    "ComputationRun": {
        "workspace": SETTLED,
        "computation": SETTLED,
        "vm": SETTLED,
        **dict.fromkeys(("triggers", "wait", "timeout", "stop_on_delete"), HERE),
    },
    "ConfidentialVM": {
        **dict.fromkeys(("workspace", "name", "provider", "platform"), SETTLED),
        "vcpus": lambda scene: scene.start_another_vm(vcpus=4),
        "agent_log_level": lambda scene: scene.start_another_vm(agent_log_level="debug"),
        "limits": lambda scene: scene.start_another_vm(limits={"memory_mib": 512}),
        "qemu": "see `test_what_qemu_was_started_with_is_shown`",
        **dict.fromkeys(("manager", "manager_tls", "ttl", "ready_timeout", "policy"), HERE),
    },
    "AttestationPolicy": dict.fromkeys(HANDLERS["AttestationPolicy"].model.input_names(), THE_FILE),
    "CertificateBundle": dict.fromkeys(HANDLERS["CertificateBundle"].model.input_names(), THE_STATE),
}
"""By kind and field that people set: an edit that must show, or why there can be none."""

SOURCE_ROWS: Final[Mapping[str, Any]] = {
    "url": "https://elsewhere.example.com/numbers.txt",
    "encrypted": False,
    "kbs_url": "https://kbs.elsewhere.example.com",
    "kbs_resource_path": "default/key/other",
    "decompress": True,
    "runtime": "wasm",
    "arguments": ("--slow",),
}
"""Of where an agent fetches an asset, by its own fields: another value than that of the scene."""

AGENT_ROWS: Final[Mapping[str, Edit]] = {
    "tls": lambda scene: scene.edit_computation(
        cert_file="", server_key="", server_ca_file="", client_ca_file=""
    ),
    "log_level": lambda scene: scene.edit_computation(log_level="error"),
    "cert_file": lambda scene: scene.edit_computation(cert_file=_other_pem(scene)),
    "server_key": lambda scene: scene.edit_computation(
        server_key=scene.stage.create("CertificateBundle", "other", mode="tls").state.server_key
    ),
    "server_ca_file": lambda scene: scene.edit_computation(server_ca_file=_other_pem(scene)),
    "client_ca_file": lambda scene: scene.edit_computation(client_ca_file=_other_pem(scene)),
    "attested_tls": lambda scene: scene.edit_computation(
        attested_tls=True, cert_file="", server_key="", server_ca_file=""
    ),
}
"""Of the agent's configuration, by its own fields."""

EDITS: Final = [
    (kind, field) for kind, rows in ROWS.items() for field, row in rows.items() if not isinstance(row, str)
]


@pytest.mark.parametrize("kind", HANDLERS)
def test_every_field_has_its_row(kind: str) -> None:
    assert set(ROWS[kind]) == set(HANDLERS[kind].model.input_names())


def test_every_field_of_the_agent_has_its_row() -> None:
    assert set(AGENT_ROWS) == set(AgentConfig.model_fields)


def test_every_field_of_a_source_has_its_row() -> None:
    assert set(SOURCE_ROWS) == set(RemoteSource.model_fields)


@pytest.fixture
def scene_of(stage: Stage, numbers: Path, addition: Path) -> Iterator[Callable[[str], Scene]]:
    """Makes a resource that says every field that its kind shares with Prism."""

    def computation() -> Live[Any]:
        made = stage.create("CertificateBundle", "tls", key={"algorithm": "ecdsa"}).state
        return stage.computation(
            algorithm=stage.algorithm(addition).id,
            datasets=[stage.dataset(numbers).id],
            result_consumers=[ADA],
            agent={
                "log_level": "info",
                "cert_file": made.server_certificate,
                "server_key": made.server_key,
                "server_ca_file": made.ca_certificate,
                "client_ca_file": made.ca_certificate,
            },
        )

    def asset() -> Live[Any]:
        sample = numbers.with_name("sample.txt")
        sample.write_text("1\n")
        return stage.create(
            "Asset",
            "numbers",
            asset_type="dataset",
            provider=ADA,
            file=str(numbers),
            description="a dataset",
            mime_type="text/csv",
            sample_file=str(sample),
        )

    def participant() -> Live[Any]:
        return stage.create(
            "Participant", "eve", computation=stage.computation().id, user=EVE, actions=["edit", "run"]
        )

    def vm() -> Live[Any]:
        return stage.create("ConfidentialVM", "trainer", limits={"memory_mib": 1024})

    makers = {"Computation": computation, "Asset": asset, "Participant": participant, "ConfidentialVM": vm}
    made: list[Live[Any]] = []

    def scene(kind: str) -> Scene:
        made.append(makers[kind]())
        return Scene(stage, made[-1], numbers.parent)

    yield scene
    for live in made:
        if live.state.kind == "ConfidentialVM":
            stage.delete(live)


@pytest.mark.fault(27)
@pytest.mark.parametrize(("kind", "field"), EDITS)
def test_an_edit_behind_the_back_is_shown(kind: str, field: str, scene_of: Callable[[str], Scene]) -> None:
    scene = scene_of(kind)
    assert scene.stage.drift(scene.live) == {}
    edit = ROWS[kind][field]
    assert not isinstance(edit, str)
    edit(scene)
    assert set(scene.stage.drift(scene.live)) == {field}


@pytest.mark.fault(27)
@pytest.mark.parametrize("field", AGENT_ROWS)
def test_an_edit_of_the_agent_is_shown(field: str, scene_of: Callable[[str], Scene]) -> None:
    scene = scene_of("Computation")
    AGENT_ROWS[field](scene)
    recorded, actual = scene.stage.drift(scene.live)["agent"]
    assert recorded.get(field) != actual.get(field)


@pytest.mark.parametrize("field", SOURCE_ROWS)
def test_an_edit_of_a_source_is_shown(field: str, stage: Stage, addition: Path) -> None:
    is_run = field in ("runtime", "arguments")
    values: dict[str, Any] = {
        "asset_type": "algorithm" if is_run else "dataset",
        "provider": ADA,
        "file": str(addition),
        "description": "a dataset",
        "source": {"url": "https://data.example.com/a.py", "runtime": "python"} if is_run else SEALED,
    }
    live = stage.create("Asset", "edited", **values)
    assert stage.drift(live) == {}
    edited = live.state.source.model_dump() | {field: SOURCE_ROWS[field]}
    if field == "encrypted":
        edited |= {"kbs_url": None, "kbs_resource_path": None}
    Scene(stage, live, Path()).edit_asset(source=RemoteSource.model_validate(edited))
    recorded, actual = stage.drift(live)["source"]
    assert recorded.get(field) != actual.get(field)


def test_a_source_that_was_removed_and_one_that_was_added_are_shown(stage: Stage, numbers: Path) -> None:
    fetched = stage.create(
        "Asset",
        "fetched",
        asset_type="dataset",
        provider=ADA,
        file=str(numbers),
        description="a dataset",
        source=SEALED,
    )
    Scene(stage, fetched, Path()).edit_asset(removes_source=True)
    assert stage.drift(fetched) == {"source": (fetched.state.inputs()["source"], None)}
    uploaded = stage.dataset(numbers)
    Scene(stage, uploaded, Path()).edit_asset(source=fetched.state.source)
    assert stage.drift(uploaded) == {"source": (None, fetched.state.inputs()["source"])}
    seen = stage.read(uploaded)
    assert seen is not None
    assert stage.drift(stage.update(seen, source=None)) == {}


@pytest.mark.fault(27)
@pytest.mark.parametrize("kind", ["Computation", "Asset"])
def test_an_update_takes_the_edit_back(kind: str, scene_of: Callable[[str], Scene]) -> None:
    scene = scene_of(kind)
    for field in ("description", *(["name"] if kind == "Computation" else ["sample_file", "source"])):
        edit = ROWS[kind][field]
        assert not isinstance(edit, str)
        edit(scene)
    seen = scene.stage.read(scene.live)
    assert seen is not None
    restored = scene.stage.update(seen, **scene.live.state.inputs())
    assert scene.stage.drift(restored) == {}


@pytest.mark.parametrize("kind", ["Computation", "Asset"])
def test_a_description_that_was_emptied_is_shown(kind: str, scene_of: Callable[[str], Scene]) -> None:
    scene = scene_of(kind)
    scene.edit_computation(words="") if kind == "Computation" else scene.edit_asset(words="")
    assert set(scene.stage.drift(scene.live)) == {"description"}


class TestSpelling:
    """What means the same shows nothing."""

    @pytest.mark.fault(29)
    def test_of_certificates(self, scene_of: Callable[[str], Scene]) -> None:
        scene = scene_of("Computation")
        record = scene.stage.workspace.computations.get(scene.live.id).agent_config
        assert isinstance(record, AgentConfigRecord)
        spelled = {name: getattr(record, name).replace("\n", "\r\n") + "\r\n" for name in record.files}
        scene.edit_computation(**spelled)
        assert scene.stage.drift(scene.live) == {}

    def test_of_a_mark_that_somebody_removed(self, scene_of: Callable[[str], Scene]) -> None:
        scene = scene_of("Computation")
        scene.stage.workspace.computations.update(scene.live.id, name="sum", description="adds numbers")
        assert scene.stage.drift(scene.live) == {}

    @pytest.mark.fault(29)
    def test_of_the_order_of_datasets(self, stage: Stage, numbers: Path) -> None:
        other = numbers.with_name("more.txt")
        other.write_text("4\n")
        first, second = stage.dataset(numbers), stage.dataset(other)
        computation = stage.computation(datasets=[second.id, first.id])
        assets = stage.session.acting_for(ADA, stage.workspace_name).assets
        assets.unlink(first.id, computation.id)
        assets.link(first.id, computation.id)
        assert stage.drift(computation) == {}

    @pytest.mark.fault(29)
    def test_of_a_user(self, stage: Stage) -> None:
        assert stage.drift(stage.computation(result_consumers=[ADA.upper(), EVE])) == {}

    @pytest.mark.fault(28, 29)
    def test_of_a_level_and_of_what_prism_fills_in(self, stage: Stage) -> None:
        assert stage.drift(stage.computation(agent={"log_level": "WARNING"})) == {}
        assert stage.drift(stage.computation("plain")) == {}
        checksum = "AB" * 32
        bare: dict[str, Any] = {"asset_type": "Dataset", "description": "a dataset", "checksum": checksum}
        assert stage.drift(stage.create("Asset", "bare", **bare)) == {}


def test_a_grant_whose_every_action_was_taken_is_shown(stage: Stage) -> None:
    computation = stage.computation(result_consumers=[EVE])
    grant = stage.create("Participant", "eve", computation=computation.id, user=EVE, actions=["edit"])
    Scene(stage, grant, Path()).take_action("edit")
    assert stage.drift(grant) == {"actions": (["edit", "view"], ["view"])}


class TestVm:
    """What happens to a VM behind the back, besides another one in its place."""

    def test_a_folder_that_was_removed_is_a_vm_that_is_gone(self, scene_of: Callable[[str], Scene]) -> None:
        scene = scene_of("ConfidentialVM")
        scene.stage.session.hypervisor(VmProvider.LOCAL).remove(scene.live.id)
        assert scene.stage.read(scene.live) is None

    def test_one_that_prism_cannot_see_is_there(self, scene_of: Callable[[str], Scene]) -> None:
        scene = scene_of("ConfidentialVM")
        vm = scene.stage.session.hypervisor(VmProvider.LOCAL).find(scene.live.id)
        assert vm is not None
        os.killpg(vm.pid, signal.SIGSTOP)
        try:
            assert scene.stage.drift(scene.live) == {}
        finally:
            os.killpg(vm.pid, signal.SIGCONT)

    @pytest.mark.parametrize(
        ("recorded", "started_with", "shown"),
        [
            (None, QemuSettings(), None),
            (QemuSettings(memory_mib=512), QemuSettings(memory_mib=512), QemuSettings(memory_mib=512)),
            (QemuSettings(memory_mib=512), QemuSettings(memory_mib=4096), QemuSettings(memory_mib=4096)),
        ],
    )
    def test_what_qemu_was_started_with_is_shown(
        self, recorded: QemuSettings | None, started_with: QemuSettings, shown: QemuSettings | None
    ) -> None:
        state = ConfidentialVM(workspace="research", provider=VmProvider.QEMU, qemu=recorded)
        vm = Vm(
            id="1",
            name="trainer",
            agent_address="127.0.0.1:7002",
            pid=1,
            running=True,
            platform=state.platform,
            vcpus=state.vcpus,
            agent_log_level=state.agent_log_level,
            control_address="127.0.0.1:7018",
            limits=VmLimits(),
            folder=Path(),
            qemu=started_with,
        )
        assert state_of_process(state, vm) == state.with_(qemu=shown)
