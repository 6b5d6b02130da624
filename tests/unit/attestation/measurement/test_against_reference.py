"""Drawn launches, measured here and by the reference tool."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from prism_iac.attestation import (
    VCPU_TYPES,
    VMMS,
    Firmware,
    KernelHashes,
    LaunchInputs,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    measure,
    vcpu_signature,
)
from prism_iac.errors import InvalidInput
from tests.unit.attestation.measurement.firmware import (
    SEV_METADATA,
    SVSM_INFO,
    entries_of,
    firmware,
    footer,
    sev_metadata,
    words,
)
from tests.unit.attestation.measurement.reference import ReferenceInputs, reference_digest

DRAWS = 700

SIGNATURES = st.one_of(
    st.sampled_from(sorted(set(VCPU_TYPES.values()))),
    st.integers(0, 2**32 - 1),
    st.builds(vcpu_signature, st.integers(0, 270), st.integers(0, 255), st.integers(0, 15)),
)

PAGE_NUMBERS = st.integers(0, 2**20 - 1)

RANGES = st.tuples(PAGE_NUMBERS, st.integers(0, 20), st.sampled_from([1, 1, 2, 3, 4, 0x10]))

KERNEL_PAGE = st.tuples(PAGE_NUMBERS, st.just(1), st.just(0x10))

HASH_TABLES = st.one_of(
    st.none(),
    st.just(0),
    # Where a table fits into its page, and where it does not.
    st.builds(lambda page, offset: page << 12 | offset, st.integers(1, 2**20 - 1), st.integers(0, 4095)),
    st.just(0x810C00),
)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """A firmware, or an SVSM: both have the same tables."""
    sections = draw(st.lists(RANGES, max_size=6))
    if draw(st.booleans()):
        sections.insert(draw(st.integers(0, len(sections))), draw(KERNEL_PAGE))
    entries = entries_of(
        hash_table=draw(HASH_TABLES), reset_eip=draw(st.one_of(st.just(0x80B004), st.integers(0, 2**32 - 1)))
    )
    entries[SVSM_INFO] = words(draw(st.integers(0, 2**16)))
    return firmware(
        draw(st.integers(1, 8)) * 4096,
        table=footer(entries),
        sev=sev_metadata((page << 12, pages << 12, kind) for page, pages, kind in sections),
    )


@st.composite
def launches(draw: st.DrawFn) -> ReferenceInputs:
    mode = draw(st.sampled_from(["snp", "snp", "snp", "seves", "sev", "snp:svsm"]))
    kernel = draw(st.one_of(st.none(), st.binary(max_size=64))) if mode != "snp:svsm" else None
    return ReferenceInputs(
        mode=mode,
        ovmf=draw(images()),
        vcpus=draw(st.one_of(st.integers(0, 9), st.just(255))),
        vcpu_signature=draw(SIGNATURES),
        vmm="QEMU" if mode == "snp:svsm" else draw(st.sampled_from(["QEMU", "QEMU", "ec2", "gce"])),
        guest_features=draw(st.one_of(st.sampled_from([0x1, 0x21, 0x200]), st.integers(0, 2**64 - 1))),
        kernel=kernel,
        initrd=None if kernel is None else draw(st.one_of(st.none(), st.binary(max_size=64))),
        append=None if kernel is None else draw(st.one_of(st.none(), COMMAND_LINES)),
        ovmf_hash=draw(st.one_of(st.none(), st.binary(min_size=48, max_size=48))) if mode == "snp" else None,
        svsm=draw(images()) if mode == "snp:svsm" else b"",
        vars_size=draw(st.integers(0, 200)) << 12,
    )


COMMAND_LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def ours(inputs: ReferenceInputs) -> LaunchInputs:
    ovmf, vmm = Firmware(inputs.ovmf), VMMS[inputs.vmm]
    kernel = (
        None
        if inputs.kernel is None
        else KernelHashes.of(inputs.kernel, initrd=inputs.initrd or b"", command_line=inputs.append or "")
    )
    if inputs.mode == "sev":
        return SevLaunch(ovmf, kernel=kernel)
    if inputs.mode == "seves":
        return SevEsLaunch(
            ovmf, vcpus=inputs.vcpus, vcpu_signature=inputs.vcpu_signature, vmm=vmm, kernel=kernel
        )
    if inputs.mode == "snp:svsm":
        return SvsmLaunch(
            ovmf,
            svsm=Firmware(inputs.svsm, name="svsm"),
            vars_bytes=inputs.vars_size,
            vcpus=inputs.vcpus,
            vcpu_signature=inputs.vcpu_signature,
        )
    return SnpLaunch(
        ovmf,
        vcpus=inputs.vcpus,
        vcpu_signature=inputs.vcpu_signature,
        vmm=vmm,
        guest_features=inputs.guest_features,
        kernel=kernel,
        firmware_hash=inputs.ovmf_hash,
    )


def has_kernel_and_no_place_for_it(inputs: ReferenceInputs) -> bool:
    """Where the reference puts the hashes at address 0, which QEMU refuses to do."""
    return inputs.mode == "snp" and inputs.kernel is not None and Firmware(inputs.ovmf).hash_table_gpa == 0


@settings(
    max_examples=DRAWS,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(inputs=launches())
def test_a_launch_has_the_digest_of_the_reference_tool(inputs: ReferenceInputs, tmp_path: Path) -> None:
    expected = reference_digest(inputs, tmp_path)
    if expected is None or has_kernel_and_no_place_for_it(inputs):
        event("refused")
        with pytest.raises(InvalidInput):
            measure(ours(inputs))
    else:
        event(f"measured {inputs.mode}")
        assert measure(ours(inputs)).digest == expected


@pytest.mark.parametrize("name", VCPU_TYPES)
def test_every_type_of_vcpu_that_the_reference_tool_knows_has_its_signature(name: str) -> None:
    from sevsnpmeasure.vcpu_types import CPU_SIGS  # type: ignore[import-untyped]  # it has no types

    newer = {"EPYC-v5", "EPYC-Rome-v4", "EPYC-Rome-v5", "EPYC-Milan-v3", "EPYC-Genoa-v2", "EPYC-Turin-v1"}
    assert CPU_SIGS.keys() == VCPU_TYPES.keys() - newer
    family = name.rpartition("-v")[0] or name
    assert VCPU_TYPES[name] == CPU_SIGS.get(name, CPU_SIGS[family])


@given(family=st.integers(0, 270), model=st.integers(0, 255), stepping=st.integers(0, 15))
def test_a_signature_is_that_of_the_reference_tool(family: int, model: int, stepping: int) -> None:
    from sevsnpmeasure.vcpu_types import cpu_sig

    assert vcpu_signature(family, model, stepping) == cpu_sig(family, model, stepping)


def test_firmware_without_sev_metadata_is_refused_though_the_reference_tool_prints_a_digest(
    tmp_path: Path,
) -> None:
    without = firmware(table=footer(entries_of(has_sev=False)))
    assert SEV_METADATA not in entries_of(has_sev=False)
    inputs = ReferenceInputs("snp", without, vcpus=1, vcpu_signature=VCPU_TYPES["EPYC-v4"])
    assert reference_digest(inputs, tmp_path) is not None
    with pytest.raises(InvalidInput, match="no SEV metadata"):
        measure(ours(inputs))
