"""What is refused, and how it is said."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha384

import pytest

from prism_iac.attestation import (
    EC2,
    KRUN,
    QEMU,
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    LaunchInputs,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    SvsmLaunch,
    TdxLaunch,
    measure,
    vcpu_signature,
)
from prism_iac.errors import InvalidInput
from tests.unit.attestation.measurement.firmware import (
    RESET_BLOCK,
    SECTIONS,
    SEV_METADATA,
    SVSM_INFO,
    TDX_METADATA,
    TdxSection,
    entries_of,
    firmware,
    footer,
    sev_metadata,
    tdx_metadata,
    tdx_sections,
    words,
)

EPYC = VCPU_TYPES["EPYC-v4"]
KERNEL = KernelHashes.of(b"kernel\n")
SIZE = 0x10000


def snp(image: bytes, *, vcpus: int = 1, kernel: KernelHashes | None = None) -> SnpLaunch:
    return SnpLaunch(Firmware(image), vcpus=vcpus, vcpu_signature=EPYC, kernel=kernel)


def tdx(*sections: TdxSection) -> TdxLaunch:
    return TdxLaunch(Firmware(firmware(tdx=tdx_metadata(sections))))


def with_entries(**changed: bytes) -> bytes:
    """The synthetic firmware with other data in its table, by name of the entry."""
    keys = {"sev": SEV_METADATA, "tdx": TDX_METADATA, "reset": RESET_BLOCK}
    return firmware(table=footer({**entries_of(), **{keys[name]: data for name, data in changed.items()}}))


def with_sections(*sections: tuple[int, int, int]) -> bytes:
    return firmware(sev=sev_metadata(sections))


def svsm(**changed: int) -> SvsmLaunch:
    image = firmware(table=footer({**entries_of(), SVSM_INFO: words(0x10)}))
    values = {"vars_bytes": 0x1000, "vcpus": 1, "vcpu_signature": EPYC, **changed}
    return SvsmLaunch(Firmware(firmware()), svsm=Firmware(image, name="svsm"), **values)


BFV, CFV, TEMP, *_ = tdx_sections(SIZE)
MISPLACED = tdx_metadata(tdx_sections(SIZE)).replace(b"TDVF", b"TDVG")

REFUSED: dict[str, tuple[Callable[[], LaunchInputs], str]] = {
    "an empty file": (lambda: SevLaunch(Firmware(b"")), "ovmf: no firmware has 0 bytes"),
    "a table longer than the file": (
        lambda: SevLaunch(Firmware(firmware(table=footer(entries_of()))[-100:])),
        "ovmf: its table of GUIDs is longer than the image, or shorter than its end",
    ),
    "an entry twice": (
        lambda: snp(firmware(table=footer([*entries_of().items(), *entries_of().items()]))),
        "ovmf: an entry of its table of GUIDs is there twice",
    ),
    "an entry too short": (
        lambda: snp(with_entries(reset=b"\0\0"), vcpus=2),
        "ovmf: an entry of its table of GUIDs is too short",
    ),
    "no whole pages": (
        lambda: snp(b"\0" * 16 + firmware()),
        f"ovmf: its {SIZE + 16} bytes are no whole pages",
    ),
    "metadata before the file": (
        lambda: snp(with_entries(sev=words(0xFFFFFFFF))),
        "ovmf: its SEV metadata does not lie in it",
    ),
    "metadata in the reset vector": (
        lambda: snp(with_entries(sev=words(4))),
        "ovmf: its SEV metadata does not lie in it",
    ),
    "metadata elsewhere": (
        lambda: snp(with_entries(sev=words(0x500))),
        "ovmf: its SEV metadata has not the signature ASEV and version 1",
    ),
    "metadata of version 2": (
        lambda: snp(firmware(sev=b"ASEV" + words(16, 2, 0))),
        "ovmf: its SEV metadata has not the signature ASEV and version 1",
    ),
    "more sections than room": (
        lambda: snp(firmware(sev=b"ASEV" + words(16, 1, 2**32 - 1))),
        "ovmf: its SEV metadata has no room for 4294967295 sections",
    ),
    "sections past the end": (
        lambda: snp(firmware(sev=b"ASEV" + words(2**32 - 1, 1, 1))),
        "ovmf: its SEV metadata has no room for 1 sections",
    ),
    "a section of no known type": (
        lambda: snp(with_sections((0x800000, 0x1000, 5))),
        "ovmf: its SEV metadata has a section of type 0x5, which is not known",
    ),
    "a section that ends within a page": (
        lambda: snp(with_sections((0x800000, 0x1001, 1))),
        "ovmf: its section SNP_SEC_MEM at 0x800000 does not consist of whole pages",
    ),
    "a section that begins within a page": (
        lambda: snp(with_sections((0x800010, 0x1000, 3))),
        "ovmf: its section CPUID at 0x800010 does not consist of whole pages",
    ),
    "more memory than any firmware has": (
        lambda: snp(with_sections((0, 0xFFFFF000, 1), (0, 0xFFFFF000, 1))),
        "ovmf: its SEV metadata declares more memory than can be measured",
    ),
    "a kernel without a section for it": (
        lambda: snp(with_sections(*(one for one in SECTIONS if one[2] != 0x10)), kernel=KERNEL),
        "ovmf: has no page for the hashes of a kernel, so a kernel would not be measured",
    ),
    "a kernel without a place for it": (
        lambda: snp(firmware(table=footer(entries_of(hash_table=None))), kernel=KERNEL),
        "ovmf: has no page for the hashes of a kernel, so a kernel would not be measured",
    ),
    "a kernel at a place where its hashes do not fit": (
        lambda: snp(firmware(table=footer(entries_of(hash_table=0x810F51))), kernel=KERNEL),
        "ovmf: has no page for the hashes of a kernel, so a kernel would not be measured",
    ),
    "a kernel of a SEV guest without a place for it": (
        lambda: SevLaunch(Firmware(firmware(table=footer(entries_of(hash_table=0)))), kernel=KERNEL),
        "ovmf: has no room for the hashes of a kernel, so a kernel would not be measured",
    ),
    "no start for other vCPUs": (
        lambda: snp(firmware(table=footer(entries_of(reset_eip=0))), vcpus=2),
        "ovmf: does not say where vCPUs other than the first begin",
    ),
    "fewer vCPUs than none": (lambda: snp(firmware(), vcpus=-1), "vcpus: no guest has -1"),
    "too many vCPUs": (lambda: snp(firmware(), vcpus=1 << 16), "vcpus: no guest has 65536"),
    "no type of vCPU": (
        lambda: SevEsLaunch(Firmware(firmware()), vcpus=1),
        "vcpu-type: is measured, and missing",
    ),
    "a signature too long": (
        lambda: SevEsLaunch(Firmware(firmware()), vcpus=1, vcpu_signature=1 << 32),
        "vcpu-sig: 0x100000000 does not fit into 32 bits",
    ),
    "features too long": (
        lambda: SnpLaunch(Firmware(firmware()), vcpus=1, vcpu_signature=EPYC, guest_features=1 << 64),
        "guest-features: 0x10000000000000000 does not fit into 64 bits",
    ),
    "a hash of firmware too short": (
        lambda: SnpLaunch(Firmware(firmware()), vcpus=1, vcpu_signature=EPYC, firmware_hash=b"short"),
        "snp-ovmf-hash: has 48 bytes, not 5",
    ),
    "an SVSM that is none": (
        lambda: SvsmLaunch(
            Firmware(firmware()),
            svsm=Firmware(firmware(), name="svsm"),
            vars_bytes=0,
            vcpus=1,
            vcpu_signature=EPYC,
        ),
        "svsm: does not say where vCPUs begin, so it is no SVSM",
    ),
    "variables that leave no room": (
        lambda: svsm(vars_bytes=1 << 32),
        "vars-size: 4294967296 bytes of variables leave no pages for the SVSM below them",
    ),
    "variables that are no pages": (
        lambda: svsm(vars_bytes=5),
        "vars-size: 5 bytes of variables leave no pages for the SVSM below them",
    ),
    "variables shorter than nothing": (
        lambda: svsm(vars_bytes=-4096),
        "vars-size: -4096 bytes of variables leave no pages for the SVSM below them",
    ),
    "no TDX metadata": (
        lambda: TdxLaunch(Firmware(firmware(table=footer({})))),
        "ovmf: has no TDX metadata: no TDX guest starts from it",
    ),
    "TDX metadata elsewhere": (
        lambda: TdxLaunch(Firmware(with_entries(tdx=words(0x600)))),
        "ovmf: its TDX metadata does not lie where its table says",
    ),
    "TDX metadata without its signature": (
        lambda: TdxLaunch(Firmware(firmware(tdx=MISPLACED))),
        "ovmf: its TDX metadata has not the signature TDVF and version 1",
    ),
    "more TDX sections than room": (
        lambda: TdxLaunch(Firmware(firmware(tdx=tdx_metadata(())[:16] + b"TDVF" + words(16, 1, 2**32 - 1)))),
        "ovmf: its TDX metadata has no room for 4294967295 sections",
    ),
    "half a firmware": (
        lambda: tdx(BFV, TEMP),
        "ovmf: is not a whole firmware: its volumes have another length than the file",
    ),
    "a TDX section of no pages": (
        lambda: tdx(BFV, CFV, (0, 0, 0x800001, 0x1000, 3, 0)),
        "ovmf: its section TEMP_MEM at 0x800001 does not consist of whole pages",
    ),
    "a TDX section past all memory": (
        lambda: tdx(BFV, CFV, (0, 0, (1 << 64) - 0x1000, 0x1000, 3, 0)),
        "ovmf: its section TEMP_MEM at 0xfffffffffffff000 reaches past the memory of any guest",
    ),
    "a TDX section with more bytes than memory": (
        lambda: tdx(BFV, CFV, (0, 0x1000, 0x800000, 0, 7, 0)),
        "ovmf: its section of type 0x7 at 0x800000 has more bytes than memory",
    ),
    "a TDX section past the file": (
        lambda: tdx(BFV, CFV, (SIZE, 0x1000, 0x800000, 0x1000, 2, 0)),
        "ovmf: its section TD_HOB at 0x800000 reaches past the end of the file",
    ),
    "more TDX memory than any firmware has": (
        lambda: tdx(BFV, CFV, (0, 0, 0, 1 << 40, 3, 0)),
        "ovmf: its TDX metadata declares more memory than can be measured",
    ),
}


@pytest.mark.parametrize(("launch", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_measured_is_refused_and_said(
    launch: Callable[[], LaunchInputs], message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        measure(launch())
    (finding,) = refused.value.findings
    assert f"{finding.path}: {finding.message}" == message
    assert finding.fix


@pytest.mark.parametrize(
    ("model", "what"),
    [((271, 0, 0), "family"), ((23, 256, 0), "model"), ((23, 1, 16), "stepping"), ((-1, 0, 0), "family")],
)
def test_a_model_that_no_signature_can_say_is_refused(model: tuple[int, int, int], what: str) -> None:
    with pytest.raises(InvalidInput, match=f"vcpu-{what}"):
        vcpu_signature(*model)


@pytest.mark.parametrize("line", ["quiet\0", "quiet \ud800"])
def test_a_command_line_that_no_kernel_can_have_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="append"):
        KernelHashes.of(b"kernel\n", command_line=line)


def test_a_table_shorter_than_its_own_end_is_refused() -> None:
    image = bytearray(firmware())
    image[-50:-48] = struct.pack("<H", 17)
    with pytest.raises(InvalidInput, match="table of GUIDs"):
        Firmware(bytes(image))


@pytest.mark.parametrize("length", [17, 200])
def test_an_entry_of_an_impossible_length_is_refused(length: int) -> None:
    image = bytearray(firmware())
    image[-68:-66] = struct.pack("<H", length)
    with pytest.raises(InvalidInput, match="impossible length"):
        Firmware(bytes(image))


@pytest.mark.parametrize("image", [b"\0", firmware()[:-1], firmware()[-49:]])
def test_a_sev_guest_may_start_from_an_image_without_a_table(image: bytes) -> None:
    assert Firmware(image).entries == {}
    assert len(measure(SevLaunch(Firmware(image))).digest) == 32


def test_one_vcpu_needs_no_start_for_others() -> None:
    without = firmware(table=footer(entries_of(reset_eip=None)))
    assert len(measure(snp(without)).digest) == 48


def test_hypervisors_that_hide_the_signature_need_none() -> None:
    image = Firmware(firmware())
    for vmm in (EC2, KRUN):
        hidden = SnpLaunch(image, vcpus=2, vmm=vmm)
        assert measure(hidden) == measure(SnpLaunch(image, vcpus=2, vcpu_signature=EPYC, vmm=vmm))
    assert QEMU.shows_signature


def test_pages_that_are_added_while_a_tdx_guest_runs_are_not_measured() -> None:
    later = (0, 0, 0x1000000, 1 << 40, 3, 0b10)
    parts = measure(tdx(BFV, CFV, TEMP, later)).parts
    assert [part.name for part in parts] == ["section BFV", "section CFV", "section TEMP_MEM"]


@pytest.mark.parametrize("is_two_pass", [False, True])
def test_the_pages_of_a_tdx_section_beyond_its_bytes_are_zero(is_two_pass: bool) -> None:  # noqa: FBT001  # drawn
    short = 0x1000 + 10
    sections = (
        (0x1000, SIZE - 0x1000 - short, 0xFFFF1000, SIZE - 0x1000, 0, 1),
        (SIZE - short, short, 0x800000, 0x4000, 0, 1),
        CFV,
    )
    image = firmware(tdx=tdx_metadata(sections))
    expected = sha384()
    for offset, raw, gpa, size, _, attributes in sections:
        contents = image[offset : offset + raw].ljust(size, b"\0")
        added = [
            b"MEM.PAGE.ADD".ljust(16, b"\0") + struct.pack("<Q", gpa + at) for at in range(0, size, 4096)
        ]
        extended = [
            b"".join(
                (b"MR.EXTEND".ljust(16, b"\0") + struct.pack("<Q", gpa + at)).ljust(128, b"\0")
                + contents[at : at + 256]
                for at in range(page, page + 4096, 256)
            )
            for page in range(0, size, 4096)
        ]
        events = [event.ljust(128, b"\0") for event in added]
        if attributes & 1:
            pairs = zip(events, extended, strict=True)
            events = [*events, *extended] if is_two_pass else [event for pair in pairs for event in pair]
        expected.update(b"".join(events))
    assert measure(TdxLaunch(Firmware(image), is_two_pass=is_two_pass)).digest == expected.digest()
