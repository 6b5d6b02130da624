"""What a measurement says went into it."""

from __future__ import annotations

from hashlib import sha256, sha384

import pytest

from prism_iac.attestation import (
    EC2,
    GCE,
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    LaunchInputs,
    Measurement,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    TdxLaunch,
    Vmm,
    measure,
)
from tests.unit.attestation.measurement.firmware import SVSM_INFO, entries_of, firmware, footer, words

EPYC, MILAN = VCPU_TYPES["EPYC-v4"], VCPU_TYPES["EPYC-Milan"]
IMAGE = Firmware(firmware())
OTHER = Firmware(b"\0" + firmware()[1:])
KERNEL = KernelHashes.of(b"kernel\n", initrd=b"initrd\n", command_line="quiet")


def changed(before: Measurement, after: Measurement) -> set[str]:
    """The names of the parts that are not in both."""
    return {part.name for part in {*before.parts} ^ {*after.parts}}


def snp(
    firmware: Firmware = IMAGE,
    *,
    vcpus: int = 4,
    signature: int = EPYC,
    features: int = 1,
    kernel: KernelHashes = KERNEL,
) -> Measurement:
    return measure(
        SnpLaunch(firmware, vcpus=vcpus, vcpu_signature=signature, guest_features=features, kernel=kernel)
    )


TABLE = "section SNP_KERNEL_HASHES"

CHANGES = {
    "firmware": (snp(OTHER), {"firmware"}),
    "kernel": (
        snp(kernel=KernelHashes.of(b"new", initrd=b"initrd\n", command_line="quiet")),
        {"kernel", TABLE},
    ),
    "initrd": (snp(kernel=KernelHashes.of(b"kernel\n", command_line="quiet")), {"initrd", TABLE}),
    "command line": (
        snp(kernel=KernelHashes.of(b"kernel\n", initrd=b"initrd\n", command_line="debug")),
        {"command line", TABLE},
    ),
    "vCPUs": (snp(vcpus=5), {"vCPUs 1 to 3", "vCPUs 1 to 4"}),
    "their type": (snp(signature=MILAN), {"vCPU 0", "vCPUs 1 to 3"}),
    "features": (snp(features=0x21), {"vCPU 0", "vCPUs 1 to 3"}),
}


@pytest.mark.parametrize(("after", "names"), CHANGES.values(), ids=CHANGES)
def test_the_parts_that_differ_name_the_input_that_did_it(after: Measurement, names: set[str]) -> None:
    assert after.digest != snp().digest
    assert changed(snp(), after) == names


def test_the_same_inputs_give_the_same_measurement_and_explanation() -> None:
    assert snp() == snp(Firmware(firmware()))


def test_sev_snp_says_every_page() -> None:
    assert [(part.name, part.detail) for part in snp(vcpus=2).parts] == [
        ("firmware", "16 NORMAL pages at 0xffff0000"),
        ("section SNP_SEC_MEM", "9 ZERO pages at 0x800000"),
        ("section SNP_SEC_MEM", "3 ZERO pages at 0x80a000"),
        ("section SNP_SECRETS", "1 SECRETS page at 0x80d000"),
        ("section CPUID", "1 CPUID page at 0x80e000"),
        ("section SVSM_CAA", "1 ZERO page at 0x80f000"),
        (TABLE, "1 NORMAL page at 0x810000"),
        ("section SNP_SEC_MEM", "15 ZERO pages at 0x811000"),
        ("kernel", "SHA-256 in the table of kernel hashes"),
        ("initrd", "SHA-256 in the table of kernel hashes"),
        ("command line", "SHA-256 in the table of kernel hashes"),
        ("vCPU 0", "VMSA of QEMU, begins at 0xfffffff0, signature 0x800f12, features 0x1"),
        ("vCPU 1", "VMSA of QEMU, begins at 0x80b004, signature 0x800f12, features 0x1"),
    ]
    assert snp().parts[8].digest == sha256(b"kernel\n").digest()


@pytest.mark.parametrize(
    ("vmm", "last_section", "memory"),
    [(EC2, "section CPUID", "ZERO"), (GCE, "section SNP_SEC_MEM", "UNMEASURED")],
)
def test_hypervisors_that_do_otherwise_are_said_to(vmm: Vmm, last_section: str, memory: str) -> None:
    parts = measure(SnpLaunch(IMAGE, vcpus=1, vmm=vmm)).parts
    sections = [part for part in parts if part.name.startswith("section")]
    assert sections[-1].name == last_section
    assert sections[0].detail == f"9 {memory} pages at 0x800000"
    assert parts[-1].detail == f"VMSA of {vmm.name}, begins at 0xfffffff0, features 0x1"


def test_a_hash_that_was_given_is_said_to_be() -> None:
    launch = SnpLaunch(IMAGE, vcpus=1, vcpu_signature=EPYC, firmware_hash=IMAGE.snp_hash)
    first = measure(launch).parts[0]
    assert (first.detail, first.digest) == ("its hash, as it was given", IMAGE.snp_hash)


def test_an_svsm_is_said_to_lie_below_the_firmware() -> None:
    svsm = Firmware(firmware(0x8000, table=footer({**entries_of(), SVSM_INFO: words(0x10)})), name="svsm")
    launch = SvsmLaunch(IMAGE, svsm=svsm, vars_bytes=0x2000, vcpus=3, vcpu_signature=EPYC)
    parts = {part.name: part for part in measure(launch).parts}
    assert parts["SVSM"].detail == "8 NORMAL pages at 0xfffe6000"
    assert parts["vCPUs 0 to 2"].detail == "VMSA of the SVSM, begins at 0xfffe6010, signature 0x800f12"


def test_sev_and_tdx_say_theirs() -> None:
    sev_es = measure(SevEsLaunch(IMAGE, vcpus=1, vcpu_signature=EPYC, kernel=KERNEL))
    assert [part.name for part in sev_es.parts] == ["firmware", "kernel", "initrd", "command line", "vCPU 0"]
    assert sev_es.parts[0].digest == sha256(IMAGE.data).digest()
    bfv, cfv, *_ = measure(TdxLaunch(IMAGE)).parts
    assert bfv.detail == "15 pages added at 0xffff1000, contents measured one by one"
    assert bfv.digest == sha384(IMAGE.data[0x1000:]).digest()
    assert (cfv.detail, cfv.digest) == ("1 page added at 0xffff0000", b"")


NO_VCPUS: tuple[LaunchInputs, ...] = (
    SnpLaunch(IMAGE, vcpus=0, vcpu_signature=EPYC),
    SevEsLaunch(IMAGE, vcpus=0, vcpu_signature=EPYC),
)


@pytest.mark.parametrize("launch", NO_VCPUS)
def test_no_vcpus_add_no_page(launch: LaunchInputs) -> None:
    assert not [part for part in measure(launch).parts if part.name.startswith("vCPU")]


def test_sev_es_without_vcpus_and_kernel_is_sev() -> None:
    assert measure(NO_VCPUS[1]).digest == measure(SevLaunch(IMAGE)).digest
