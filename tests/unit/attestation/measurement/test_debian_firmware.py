"""The firmware of Debian's package, which `make firmware` obtains: `attestation.md` section 6.4."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from prism_iac.attestation import (
    VCPU_TYPES,
    VMMS,
    Firmware,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    TdxLaunch,
    measure,
)
from prism_iac.errors import InvalidInput
from tests.unit.attestation.measurement.reference import ReferenceInputs, reference_digest

FOLDER = Path(__file__).parents[4] / ".firmware"
FILES = sorted(path for path in FOLDER.rglob("*.fd") if not path.is_symlink() and "VARS" not in path.name)
EPYC = VCPU_TYPES["EPYC-v4"]

KNOWN = {
    # bookworm, ovmf 2022.11-6+deb12u2: OVMF.fd
    "7b456907dd0786d4": (
        "11570979c77a0adb515761a702527c8b9e11554e730552621d950988613a3a75c6ff1703f540bd22a9beede8fe7a97e3",
        "32ac9d7a17d28f7cd4404a4516d2f00519668c40ada2062351c36767e908eb3f090d66c33ab10f80150e00a4385b6d0f",
        "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47",
    ),
    # trixie, ovmf 2025.02-8+deb13u1: OVMF.fd
    "14954040cc754ade": (
        "6eef547a9fcf5720c5c04883fe85788d29de46b55a51e554467029b554a3352e66d2f3c71b84cea937d19a1a6c41596f",
        "676826e902524799a067f7c43b3ab0101dce73a2506d41436dd2f8472fa208081f11f9e65ca5d2439785732a0bfd8339",
        "bdc6fb145880f06f30c8b346b8dce2a99d9351b56892df22f80fcf6574caa9f9c31df8e8576d53b4d0cd1c3f28910e11",
    ),
}
"""SEV-SNP with 1 and 4 vCPUs, and MRTD, by the begin of the file's SHA-256."""

pytestmark = pytest.mark.skipif(
    not FILES, reason="needs Debian's package of firmware; `make firmware` obtains it where apt is"
)


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def image(request: pytest.FixtureRequest) -> Firmware:
    path: Path = request.param
    return Firmware.load(path)


def is_for_snp(image: Firmware) -> bool:
    try:
        return bool(image.sections)
    except InvalidInput:
        return False


@pytest.mark.parametrize("vmm", ["QEMU", "ec2", "gce"])
@pytest.mark.parametrize("vcpus", [1, 4])
def test_sev_snp_is_measured_like_by_the_reference_tool_or_refused(
    image: Firmware, vcpus: int, vmm: str, tmp_path: Path
) -> None:
    launch = SnpLaunch(image, vcpus=vcpus, vcpu_signature=EPYC, vmm=VMMS[vmm])
    if is_for_snp(image):
        expected = reference_digest(ReferenceInputs("snp", image.data, vcpus, EPYC, vmm), tmp_path)
        assert expected is not None
        assert measure(launch).digest == expected
    else:
        with pytest.raises(InvalidInput, match="no SEV metadata"):
            measure(launch)


def test_sev_and_sev_es_are_measured_like_by_the_reference_tool(image: Firmware, tmp_path: Path) -> None:
    sev_es = SevEsLaunch(image, vcpus=4, vcpu_signature=EPYC)
    assert measure(sev_es).digest == reference_digest(ReferenceInputs("seves", image.data, 4, EPYC), tmp_path)
    assert measure(SevLaunch(image)).digest == reference_digest(ReferenceInputs("sev", image.data), tmp_path)


def test_a_known_build_has_its_known_digests() -> None:
    whole = next(path for path in FILES if path.name == "OVMF.fd")
    image = Firmware.load(whole)
    known = KNOWN.get(sha256(image.data).hexdigest()[:16])
    if known is None:
        pytest.skip("the package's build is not one whose digests are written down here")
    launches = (
        SnpLaunch(image, vcpus=1, vcpu_signature=EPYC),
        SnpLaunch(image, vcpus=4, vcpu_signature=EPYC),
        TdxLaunch(image),
    )
    assert tuple(measure(launch).digest.hex() for launch in launches) == known


def test_half_a_firmware_is_refused_for_tdx() -> None:
    halves = [path for path in FILES if path.name.startswith("OVMF_CODE")]
    assert halves
    for half in halves:
        with pytest.raises(InvalidInput, match=r"is not a whole firmware|has no TDX metadata"):
            measure(TdxLaunch(Firmware.load(half)))
