"""Which commands a remote hypervisor declares, and which of them a change runs again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from prism_iac.provider import ConfidentialVM
from prism_iac.provider.remote import RemoteHypervisor
from prism_iac.provider.remote._scripts import command_line
from tests.unit.provider.engine_of_mocks import Declaration, run

KEY = "-----BEGIN PRIVATE KEY-----\nsecret-of-the-manager\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nmanager\n-----END CERTIFICATE-----\n"
CA = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n"
TLS: Any = {"certificate": CERTIFICATE, "key": KEY, "client_ca": CA}
SSH: Any = {
    "host": "lab.example.com",
    "host_key": "ssh-ed25519 AAAA",
    "user": "prism",
    "private_key": "secret-of-ssh",
}
SETTINGS = {"MANAGER_QEMU_CPU": "secret-of-settings"}
FOLDER = ".prism-manager/platform.dev.lab"

# The command provider warns of a class of its own when it is loaded.
pytestmark = pytest.mark.filterwarnings("ignore:This resource is deprecated:DeprecationWarning")

FILES = {"lab-tls-certificate", "lab-tls-key", "lab-tls-client_ca", "lab-environment"}
SERVICE = "lab-service-7020"


def declare(*, preview: bool = False, **arguments: Any) -> Mapping[str, Declaration]:
    given = {"connection": SSH, "tls": TLS, "settings": SETTINGS, "package": "prism-iac==1.0"}
    return run(lambda: RemoteHypervisor("lab", **(given | arguments)).address, preview=preview)


def ran_again(before: Mapping[str, Declaration], after: Mapping[str, Declaration]) -> set[str]:
    return {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or before[name].inputs != after[name].inputs
    }


def test_it_installs_writes_its_files_and_starts() -> None:
    declared = declare()
    assert set(declared) == {"lab", "lab-install", *FILES, SERVICE}
    commands = {name: item.inputs for name, item in declared.items() if name != "lab"}
    assert all(item["addPreviousOutputInEnv"] is False for item in commands.values())
    assert commands["lab-tls-key"]["create"] == command_line("write", FOLDER, "tls/key")
    assert commands["lab-tls-key"]["delete"] == command_line("erase", FOLDER, "tls/key")
    assert commands["lab-tls-key"]["stdin"] == KEY
    assert commands["lab-environment"]["stdin"] == "MANAGER_QEMU_CPU=secret-of-settings\n"
    assert commands[SERVICE]["delete"] == command_line("stop", FOLDER, "7020")


def test_it_starts_after_everything_and_so_stops_before_anything() -> None:
    assert declare()[SERVICE].waits_for >= {"lab-install", *FILES}


class TestChanges:
    """What runs again, and nothing else does."""

    def test_nothing(self) -> None:
        assert ran_again(declare(), declare()) == set()

    def test_version(self) -> None:
        assert ran_again(declare(), declare(package="prism-iac==1.1")) == {"lab-install", SERVICE}

    def test_content_of_a_file_under_the_same_name(self, tmp_path: Path) -> None:
        wheel = tmp_path / "prism_iac-1.0-py3-none-any.whl"
        wheel.write_bytes(b"one")
        before = declare(package=str(wheel))
        wheel.write_bytes(b"other")
        after = declare(package=str(wheel))
        assert ran_again(before, after) == {"lab-upload", "lab-install", SERVICE}
        assert before["lab-install"].waits_for == {"lab-upload"}
        assert after["lab-upload"].inputs["remotePath"].startswith(f"{FOLDER}/uploads/")

    def test_interpreter(self) -> None:
        assert ran_again(declare(), declare(python="python3.12")) == {"lab-install", SERVICE}

    def test_key(self) -> None:
        other = TLS | {"key": KEY.replace("manager", "next manager")}
        assert ran_again(declare(), declare(tls=other)) == {"lab-tls-key", SERVICE}

    def test_settings(self) -> None:
        other = {"MANAGER_QEMU_CPU": "other"}
        assert ran_again(declare(), declare(settings=other)) == {"lab-environment", SERVICE}

    @pytest.mark.parametrize(
        "change", [{"vcpus": 4}, {"max_vms": 3}, {"listen": "192.0.2.10"}, {"restart": "once"}]
    )
    def test_configuration(self, change: Mapping[str, Any]) -> None:
        assert ran_again(declare(), declare(**change)) == {SERVICE}

    def test_port_is_another_service_so_that_vms_leave_the_first_while_it_runs(self) -> None:
        assert ran_again(declare(), declare(port=7021)) == {SERVICE, "lab-service-7021"}

    def test_version_is_replaced_and_all_else_updated_in_place(self) -> None:
        declared = declare()
        assert {name for name, item in declared.items() if "triggers" in item.inputs} == {"lab-install"}
        # Deleted first, the version that runs would be removed under it.
        assert not declared["lab-install"].request.deleteBeforeReplace
        assert all(declared[name].request.deleteBeforeReplace for name in (SERVICE, *FILES))
        for name in declared.keys() - {"lab"}:
            assert "connection.host" in declared[name].request.replaceOnChanges


def test_no_secret_is_in_a_command_or_in_clear() -> None:
    for name, item in declare(manager_tls={"server_ca": CA, "client_key": KEY}).items():
        for field in item.inputs.keys() - item.secrets:
            assert "secret-of-" not in repr(item.inputs[field]), (name, field)
        for field in ("create", "delete"):
            assert "secret-of-" not in item.inputs.get(field, ""), (name, field)


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_a_file_holds_is_neither_logged_nor_in_an_output_in_clear(name: str) -> None:
    declared = declare()[name]
    assert declared.inputs["logging"] == "none"
    assert "stdin" in declared.secrets
    assert {"stdin", "stdout", "stderr", "connection"} <= set(declared.request.additionalSecretOutputs)


def program_with_a_vm() -> None:
    lab = RemoteHypervisor("lab", connection=SSH, tls=TLS, manager_tls={"server_ca": CA, "client_key": KEY})
    ConfidentialVM(
        "trainer", provider="cocos", manager=lab.address, manager_tls=lab.manager_tls, workspace="research"
    )


@pytest.mark.parametrize("preview", [True, False])
def test_a_vm_knows_its_manager_at_the_preview_and_waits_for_its_start(preview: bool) -> None:  # noqa: FBT001  # a case
    vm = run(program_with_a_vm, preview=preview)["trainer"]
    assert vm.inputs["manager"] == "lab.example.com:7020"
    assert vm.inputs["manager_tls"] == {"server_ca": CA, "client_key": KEY}
    assert SERVICE in vm.waits_for


def addresses(**arguments: Any) -> list[str]:
    seen: list[str] = []
    run(lambda: RemoteHypervisor("lab", connection=SSH, **arguments).address.apply(seen.append))
    return seen


def test_a_manager_that_only_its_host_reaches_is_at_the_end_of_a_tunnel() -> None:
    assert addresses(listen="127.0.0.1") == ["127.0.0.1:7020"]
    assert addresses(listen="::1", port=1) == ["[::1]:1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tls": None}, "would make VMs for everybody who reaches 0.0.0.0"),
        ({"tls": {"certificate": CERTIFICATE, "key": KEY}}, "tls.client_ca: "),
        ({"tls": {"certificate": CERTIFICATE, "client_ca": CA}}, "tls.key: it is missing"),
        ({"connection": {"host": "lab"}}, "connection.host_key: anybody on the way could pass for the host"),
        ({"connection": {"host_key": "k"}}, "connection.host: it is missing"),
        ({"port": 0}, "port: 0 is no port"),
        ({"settings": {"A=1;B": "x"}}, "no name of an environment variable"),
        ({"binary": "manager"}, "two managers are named"),
        ({"package": "gone.whl"}, "'gone.whl' cannot be read: No such file"),
        ({"tls": TLS | {"key": "gone.pem"}}, "'gone.pem' cannot be read"),
    ],
)
def test_what_is_wrong_is_told(arguments: Mapping[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        declare(**arguments)


def test_without_its_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pulumi_command", None)
    with pytest.raises(pulumi.RunError, match=r"pip install 'prism-iac\[remote\]'"):
        declare()


def test_who_does_not_use_it_does_not_load_the_command_provider() -> None:
    code = "import sys, prism_iac; prism_iac.RemoteHypervisor; print('pulumi_command' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
