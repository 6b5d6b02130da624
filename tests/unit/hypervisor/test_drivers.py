from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.hypervisor import open_hypervisor
from prism_iac.hypervisor.local import LocalHypervisor
from prism_iac.model import Platform, VmProvider
from tests.unit.hypervisor.conftest import SPEC


def test_the_provider_local_has_a_driver(tmp_path: Path) -> None:
    assert isinstance(open_hypervisor(VmProvider.LOCAL, data=tmp_path), LocalHypervisor)


@pytest.mark.parametrize("provider", sorted(set(VmProvider) - {VmProvider.LOCAL, VmProvider.QEMU}))
def test_another_provider_is_refused_with_the_way_out(provider: VmProvider, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"{provider} are not made from this machine") as refusal:
        open_hypervisor(provider, data=tmp_path)
    assert "local" in refusal.value.findings[0].fix


@pytest.mark.parametrize("provider", [VmProvider.LOCAL, VmProvider.QEMU])
def test_opening_and_looking_make_no_file(provider: VmProvider, tmp_path: Path) -> None:
    hypervisor = open_hypervisor(provider, data=tmp_path / "data")
    assert hypervisor.list() == ()
    assert hypervisor.find("x") is None
    hypervisor.remove("x")
    assert list(tmp_path.iterdir()) == []


def test_a_platform_that_cannot_be_simulated_is_refused(hypervisor: LocalHypervisor) -> None:
    with pytest.raises(InvalidInput, match="simulates sev-snp only, not tdx"):
        hypervisor.create(replace(SPEC, platform=Platform.TDX))


@pytest.mark.parametrize("vm_id", ["", ".", "..", "../x", "a/b", ".locks", "a\n", "a\0b", "x" * 129])
def test_an_id_that_is_no_folder_name_never_touches_a_file(
    hypervisor: LocalHypervisor, data: Path, vm_id: str
) -> None:
    before = sorted(data.rglob("*"))
    with pytest.raises(InvalidInput, match="cannot be the name of a folder"):
        hypervisor.create(replace(SPEC, id=vm_id))
    assert hypervisor.find(vm_id) is None
    hypervisor.remove(vm_id)
    assert sorted(data.rglob("*")) == before


def test_everything_wrong_with_a_specification_is_told_at_once(hypervisor: LocalHypervisor) -> None:
    wrong = replace(SPEC, platform=Platform.TDX, id="a/b", name="a\nb", control_address="nowhere")
    with pytest.raises(InvalidInput) as refusal:
        hypervisor.create(wrong)
    assert [finding.path for finding in refusal.value.findings] == [
        "control_address",
        "id",
        "name",
        "platform",
    ]
