"""Digests that are known: `attestation.md` sections 1.8, 6.2 and 6.3."""

from __future__ import annotations

from functools import cache
from hashlib import sha256, sha384
from pathlib import Path

import pytest

from prism_iac.attestation import (
    EC2,
    GCE,
    KRUN,
    QEMU,
    VCPU_TYPES,
    Firmware,
    KernelHashes,
    LaunchInputs,
    SevEsLaunch,
    SevLaunch,
    SnpLaunch,
    TdxLaunch,
    Vmm,
    measure,
)
from prism_iac.attestation.measurement import _pages as pages
from prism_iac.attestation.measurement._vmsa import RESET_VECTOR, vmsa
from tests.unit.attestation.measurement.firmware import firmware

SAMPLES = Path(__file__).parent / "samples"
EPYC = VCPU_TYPES["EPYC-v4"]
APPEND = "console=ttyS0 loglevel=7"
KERNEL = KernelHashes.of(b"kernel\n", initrd=b"initrd\n", command_line=APPEND)
AP_EIP = 0x80B004


@cache
def image(size: int) -> Firmware:
    return Firmware(firmware(size))


@pytest.mark.parametrize(
    ("size", "digest"),
    [
        (0x10000, "170185076f81aa69c513e2ed23bc59b79c6c3eb63e54d6a38ee1b47ff9f540cb"),
        (0x200000, "aee0709fe6c1f8ae5e0636e82f0c463f2ec597507ba95eac5102a18e95b3a736"),
        (0x400000, "03394bbbcb483046243ac3803bfbc810ca187e6a35afaf1a18a0288245e078af"),
    ],
)
def test_the_synthetic_firmware_is_the_one_that_the_answers_are_for(size: int, digest: str) -> None:
    assert sha256(firmware(size)).hexdigest() == digest


def test_each_kind_of_page_extends_the_chain() -> None:
    zero_page = sha384(bytes(4096)).digest()
    assert zero_page.hex() == (
        "c0e59a3e3ffbd3b5c75428fb36432facabc745944296ff515f737c4fef4efc64586809f7a16f56354a1eaecf2aa8d774"
    )
    assert pages.extend(pages.START, pages.NORMAL, 0xFFFFF000, zero_page).hex() == (
        "46c510442a54cc32344cef32e14dc3d6312fc4a010780dd11fd33204df5550590356b069e6c6ca5bbfca71561f370399"
    )
    assert pages.extend_data(pages.START, 0xFFFFF000, bytes(4096)).hex() == (
        "46c510442a54cc32344cef32e14dc3d6312fc4a010780dd11fd33204df5550590356b069e6c6ca5bbfca71561f370399"
    )
    assert pages.extend_range(pages.START, pages.ZERO, 0x800000, 4096).hex() == (
        "4472405c6dbc65e5629805f2be1b3df74eb119841eff12466c24f43e67083c23df5e645b2742b6d9aa0f943e095cebaa"
    )
    assert pages.extend_range(pages.START, pages.SECRETS, 0x80D000, 4096).hex() == (
        "e82e99caf82a32c31ec5070eef9e2135866d8f7de60d756814f3bd8c989c1e826622e0a97dad026c6d9d81818780e6a2"
    )


def test_a_page_of_erased_flash_is_measured_like_any_other() -> None:
    erased = b"\xff" * 4096
    assert pages.extend_data(pages.START, 0, erased) == pages.extend(
        pages.START, pages.NORMAL, 0, sha384(erased).digest()
    )


def test_a_kernel_is_measured_by_three_hashes_in_a_page() -> None:
    page = KERNEL.page(0xC00)
    assert page is not None
    assert sha384(page).hexdigest() == (
        "dcadaa62adaf6ad5be1ff57f49f11c1af64e814d4966ef9675c88bf3184922e9c46dc25574a9223f5d8445635a03ae0b"
    )
    assert KERNEL.initrd.hex() == "8f7ed204b9dfaa20aa484445f54233c4b407cb80ec0f8c07f1f0a59675fb44cf"


def test_no_command_line_is_one_nul_and_no_initrd_is_nothing() -> None:
    alone = KernelHashes.of(b"kernel\n")
    assert alone.command_line.hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert alone.initrd.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("vmm", "eip", "features", "digest"),
    [
        (QEMU, RESET_VECTOR, 0x1, "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b3856f55378e9518d0da99452d51c553a"),
        (QEMU, AP_EIP, 0x1, "8413b852790765a310d95867a8b00bfca3a802b5a80830044b45e253fe96222657e11e53fcf63eb0e0afd722385bf7b4"),
        (QEMU, RESET_VECTOR, 0x21, "ae79efa6efbe1594a2717dfd42af495a0e4ed37b00e529a5fdf349bea04c3513962ffb0c74cf65b0d9a1857271833d6e"),
        (QEMU, AP_EIP, 0x21, "180ef2675dc01615d31b3e84ef27a0a69d08bfbbb58ea4f6a0188f08884ab6407591ada42f99749ce9a406fb4e5d8355"),
        (QEMU, RESET_VECTOR, 0x0, "69c94ea0886388820b7d37645642a46a4751bf5209f779d6a05337d11698a66cb6021b9aeacaad1bb92475944344f6f8"),
        (QEMU, AP_EIP, 0x0, "a52df2d2d024af9fb93e90d37da535b16d44596692a50fba4d31e97eeb13c2eeba039c0c1e0b478316c233d9e97867dc"),
        (EC2, RESET_VECTOR, 0x1, "d08442e8bcdb6a5dcd7f22e4f7fd6979beffb9f0bb54a9d1977407fe84f482abf23c1baae6ce95a6a9e7a94c3c51f412"),
        (EC2, AP_EIP, 0x1, "acff2d22db95b8eb82272d844aa2ad1f8f84218ccbab003697acade12228a6e901256e160d41713c22fed92e0a1ed0e1"),
        (GCE, RESET_VECTOR, 0x1, "f9e03177dad7f4819ee193af7cfb70507d8a923ab513412e908bc73460a9dfdaa54215d58952816118ffb2ec281e7fd2"),
        (GCE, AP_EIP, 0x1, "5302d262c88780a7a13159a327fa99cf188cab234c680e1f3b6729171380a4312511813a354cab136d69c778050c245a"),
    ],
)  # fmt: skip
def test_the_registers_of_a_vcpu_are_those_of_its_hypervisor(
    vmm: Vmm, eip: int, features: int, digest: str
) -> None:
    page = vmsa(vmm, eip=eip, signature=EPYC, features=features)
    assert len(page) == 4096
    assert sha384(page).hexdigest() == digest


def test_krun_starts_vcpus_like_ec2_but_for_two_registers() -> None:
    for eip in (RESET_VECTOR, AP_EIP):
        expected = bytearray(vmsa(EC2, eip=eip, signature=0, features=0x1))
        expected[0x012:0x014] = (0x9A).to_bytes(2, "little")  # attributes of cs
        expected[0x310:0x318] = bytes(8)  # rdx
        assert vmsa(KRUN, eip=eip, signature=EPYC, features=0x1) == expected


def snp(
    size: int,
    vcpus: int,
    *,
    vcpu_type: str = "EPYC-v4",
    vmm: Vmm = QEMU,
    features: int = 0x1,
    kernel: KernelHashes | None = KERNEL,
) -> SnpLaunch:
    return SnpLaunch(
        image(size),
        vcpus=vcpus,
        vcpu_signature=VCPU_TYPES[vcpu_type],
        vmm=vmm,
        guest_features=features,
        kernel=kernel,
    )


def sev_es(size: int, vcpus: int, *, kernel: KernelHashes | None = KERNEL) -> SevEsLaunch:
    return SevEsLaunch(image(size), vcpus=vcpus, vcpu_signature=EPYC, kernel=kernel)


SYNTHETIC = (
    (snp(0x10000, 1), "adec08f581ae78f0a5a1fd14be15aaeea5b71948fae2cf0301bb878bf7a8ca066d3ad36d480f1ad68c7f68165496723b"),
    (snp(0x10000, 2), "7119ec2b0bd2fe59ad48c433dab586b25ca86f0c9bcb4836dd3e44a59f63f2150e917ff4d3240a52762f01300d3b57c4"),
    (snp(0x10000, 4), "9bf407378dfcf0d228252b1cd2226393180eb26e46f32e2ddb657a9fc5995f73dbf79fefb7e4dca3c3bed7096f06c7df"),
    (snp(0x10000, 64), "e8a87da6551e4b73ecd54e8dc682d4bc27717525e13a69a6e5cd7ff57fdd24edd5a6f28342e7d981cbc3474bcfbd3e40"),
    (snp(0x10000, 255), "d2ad2a81ba24d1abd967b630f2505f3faee4399f07ecbca8e2eed64907cfd4f683103c9cec5a8498c4fd7be05139339a"),
    (snp(0x10000, 1, kernel=None), "cc24f9b03a7d7c087563530af9da2a0b5aa7a0f0b7c74be44e10b24e129711068c6aeb2948d4cf2ab737ac796660abab"),
    (snp(0x10000, 1, kernel=KernelHashes.of(b"kernel\n")), "af4eef9c708e9f317d200f03c2437d6dd8ce1c1a7f4f01659c1881d8744b5974eecaef3b3e7b24801b3e420f25bba214"),
    (snp(0x10000, 4, features=0x21), "97e6ed070312c5c2fdfb1d5baacc15cf90f15fcd8d40c716c0bb35bfe7df6594fe1869733b12f07af5bf1677b5d52300"),
    (snp(0x10000, 4, features=0x200), "59d978123fce3d0a6f4d40ef10fb89648b13890844dc170e1d00e1759e253a652b850bcfc859e42907855818963e4e0e"),
    (snp(0x10000, 4, vcpu_type="EPYC-Rome"), "923969009d0ceffd45f392b0ee3619a38bd8f4dc4cf23c62b743daf326cd1ab43e30bc4841c044bf3c997fd7f14475b9"),
    (snp(0x10000, 4, vcpu_type="EPYC-Milan"), "93842c811fa57e3986490928bff5bc6f432b71490f34452476fc05528d55587110d674336b2f113775f5106d6dd07491"),
    (snp(0x10000, 4, vcpu_type="EPYC-Genoa"), "7c589d95c6e6f0446cd05c6bc2f5ebd1fa788b4b1a514d0ac10b524c32e0d3e2850fe2310a7a253e4a935389f8411da9"),
    (snp(0x10000, 4, vcpu_type="EPYC-Turin"), "1598200423d3c9e1c624204037a5650450b5154d28bcc701443552da9da6905ee9010f9d933a4934207beeb973663e21"),
    (snp(0x10000, 1, vmm=EC2), "5b8c1855d1b3ac746874cfeef776f19b8014e008ea9e896064712289892a3e7afd4c87f2a31f8fbd661d07bb8de9220b"),
    (snp(0x10000, 4, vmm=EC2), "c189c98d64e3c77bf7e5d266da7220bff0ad7bfcc222e0e41139ae47dab5dcb85ab829160336e94975ee348e4ee32719"),
    (snp(0x10000, 1, vmm=GCE), "0173a93319b288e1ff633cb357ef88336804686126a5c98d619a3b2277015d2a6905dba8f5d0547b779e3e2c8e829b55"),
    (snp(0x10000, 4, vmm=GCE), "e9c52eb0a12dc90ad3aa3aad9b542c8b039827a9bbc905cd6ff6fc1141ff8985d804bfbfaa2d17203caab618eb351595"),
    (sev_es(0x10000, 1), "b9e0eb3440c279f588099c4b89a2fbe4f55fa4a865d7680e53c96bdec46999fc"),
    (sev_es(0x10000, 4), "4b43ec2a89178074ebe619381e98f0ccbb49475198fce7990ff1dbc35d074c5a"),
    (sev_es(0x10000, 1, kernel=None), "a52b37f02701d75319428e3c5f637b48a488eb9bf08603186972d2dcb6257a39"),
    (SevLaunch(image(0x10000), kernel=KERNEL), "282a3a8ee80c1eb430829d13758ede4adeea0d0873cc88e78a5e8385c8d9134e"),
    (SevLaunch(image(0x10000)), "170185076f81aa69c513e2ed23bc59b79c6c3eb63e54d6a38ee1b47ff9f540cb"),
    (TdxLaunch(image(0x10000)), "f5e9cc25dab6386d5fe31b51bd8e9efbaa2d115540386e3a8b5a76241f27938addf7455490c1b708e5735c0f19665a95"),
    (TdxLaunch(image(0x10000), is_two_pass=True), "7faa02963dc9184bee2f59d309ef996ae402ef5163dbd25b4020becea04efc5ac1082e8fe899ce21a761504db1bb81e6"),
    (snp(0x200000, 1), "e2d5bca8a482387a3c0dbb2370f023103178c72b8eaec5caf730616cb69b4f5ee47d26000cdb695810e0066a8c4edc13"),
    (snp(0x200000, 4), "2b8fe24ab3d93e49369b31933514c8abf7bdc34d1ffb5eab5e96cacd078577d81c0a727d9b1731f0f4476c33d06c979d"),
    (snp(0x200000, 255), "0bbc97695e25a64840897eba4de48bcf460dc33f2cd2352d20c7a2d8ff2a40bed34451bb1eae0403e7e4e2684dffa056"),
    (sev_es(0x200000, 4), "64e387adbbf1918ad83a50bf42751e13a34d237f8c3a0761e3cf8f1006598ea6"),
    (TdxLaunch(image(0x200000)), "1e2edc846cebda44eb5cee8a506c1a85554cc84cfec33f281533792c05e8ac8cb511c645337cd59fa4bb7b7d39d57eaa"),
    (TdxLaunch(image(0x200000), is_two_pass=True), "6a3566ae9170a3a7ae97f79f69496b86767e6f4dfc4a5cca50c2dcb9a8473da73f6c3db7b6a4f9686aeb5cb720fc577b"),
    (snp(0x400000, 1), "f2ad3621bced1d027871abff2687a223e16b02ca07f88915b49c2806844202e996a4e3e92299ee9278c6bcb3e7a837b3"),
    (snp(0x400000, 4), "e848a751b4927477f976061ae6fe52b44af4a0c2770dcaa4155f270749c38f3dffc6d92693d700c9ced46ea84a1b2428"),
    (snp(0x400000, 255), "cfc6738040649f6deb75927d4c515bc616c2e0c8d040e5b8f980f07da564a2162a80543a77afc3d707226177b010d1d9"),
    (sev_es(0x400000, 4), "78856b2c8a0e5b8bc412d1a972ee2ad737e199149df230a338ae6e59438d0824"),
    (TdxLaunch(image(0x400000)), "36aa0a82e3ea3ecb100616899033b7fdbbe751db4b92860774634994571bd28f7b004631c12c6b5647e8324e66d34b8e"),
    (TdxLaunch(image(0x400000), is_two_pass=True), "8bdcb92aca34fc5f74efe7f53cdc91c657d7840ed0c9bcf35b6aeaf587d05278b6cefca3fa12b015c6ce330530f70243"),
)  # fmt: skip


@pytest.mark.parametrize(("launch", "digest"), SYNTHETIC, ids=[digest[:8] for _, digest in SYNTHETIC])
def test_the_synthetic_firmware_has_its_digests(launch: LaunchInputs, digest: str) -> None:
    assert measure(launch).digest.hex() == digest


@pytest.mark.parametrize(
    ("size", "digest"),
    [
        (0x10000, "88364a91ea029046ecc1ed65cd615f608566512b6db7828bacc0a76a09182d7b0f6500f885024133d1a15436428ef46f"),
        (0x200000, "2700ecd81c65eb33e07eae9829e0f0a1eca0771cb783b3aa329026a342d7678287143cbc0b1cad6917100f93337fa9ba"),
        (0x400000, "aabcc592e5fd488b4e06a1f67f71fb9c670424e5ed7b9c0be9feb5e6b16ee64f259f01d005179450a299ae08a0a00f87"),
    ],
)  # fmt: skip
def test_the_hash_of_firmware_stands_for_its_pages(size: int, digest: str) -> None:
    assert image(size).snp_hash.hex() == digest
    without_pages = snp(size, 4)
    given = SnpLaunch(
        image(size), vcpus=4, vcpu_signature=EPYC, kernel=KERNEL, firmware_hash=bytes.fromhex(digest)
    )
    assert measure(given).digest == measure(without_pages).digest


AMD_SEV = Firmware((SAMPLES / "ovmf_AmdSev_suffix.bin").read_bytes())
OVMF_X64 = Firmware((SAMPLES / "ovmf_OvmfX64_suffix.bin").read_bytes())
EMPTY = KernelHashes.of(b"")
EMPTY_WITH_APPEND = KernelHashes.of(b"", command_line=APPEND)


def suffix(
    ovmf: Firmware, vcpus: int, features: int, kernel: KernelHashes | None, vmm: Vmm = QEMU
) -> SnpLaunch:
    return SnpLaunch(ovmf, vcpus=vcpus, vcpu_signature=EPYC, vmm=vmm, guest_features=features, kernel=kernel)


OF_THE_TOOL = (
    (suffix(AMD_SEV, 1, 0x21, EMPTY), "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198"),
    (suffix(AMD_SEV, 1, 0x1, EMPTY), "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5"),
    (suffix(AMD_SEV, 1, 0x21, EMPTY_WITH_APPEND), "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977"),
    (suffix(AMD_SEV, 1, 0x1, EMPTY_WITH_APPEND), "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa"),
    (suffix(AMD_SEV, 1, 0x21, None), "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b"),
    (suffix(AMD_SEV, 1, 0x1, None), "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d"),
    (suffix(AMD_SEV, 4, 0x21, EMPTY), "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942"),
    (suffix(AMD_SEV, 4, 0x1, EMPTY), "5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5"),
    (suffix(AMD_SEV, 1, 0x21, EMPTY, EC2), "0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1aa415db338033946ef93aa8278c0d67fb"),
    (suffix(AMD_SEV, 1, 0x1, EMPTY, EC2), "0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b9c15e8a0bd8811050dec7e24964e5056"),
    (suffix(AMD_SEV, 1, 0x1, EMPTY, GCE), "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688ea8b4e403c8404efed4397ea5d5d0722e"),
    (suffix(AMD_SEV, 4, 0x1, EMPTY, GCE), "5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452a15a00eae11886a93d6fd1e7ab81e29d"),
    (SevEsLaunch(AMD_SEV, vcpus=1, vcpu_signature=EPYC, kernel=EMPTY), "13810ae661ea11e2bb205621f582fee268f0367c8f97bc297b7fadef3e12002c"),
    (SevEsLaunch(AMD_SEV, vcpus=4, vcpu_signature=EPYC, kernel=EMPTY), "0dccbcaba8e90b261bd0d2e1863a2f9da714768b7b2a19363cd6ae35aa90de91"),
    (SevLaunch(AMD_SEV, kernel=EMPTY_WITH_APPEND), "82a3ee5d537c3620628270c292ae30cb40c3c878666a7890ee7ef2a08fb535ff"),
    (SevLaunch(AMD_SEV, kernel=EMPTY), "77f613d7bbcdf12a73782ea9e88b0172aeda50d1a54201cb903594ff52846898"),
    (suffix(OVMF_X64, 1, 0x21, None), "28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66f146aaae26ff291eed7b493d8a64c385"),
    (suffix(OVMF_X64, 1, 0x1, None), "da0296de8193586a5512078dcd719eccecbd87e2b825ad4148c44f665dc87df21e5b49e21523a9ad993afdb6a30b4005"),
)  # fmt: skip


@pytest.mark.parametrize(("launch", "digest"), OF_THE_TOOL, ids=[digest[:8] for _, digest in OF_THE_TOOL])
def test_the_ends_of_real_firmware_have_the_digests_of_the_reference_tool(
    launch: LaunchInputs, digest: str
) -> None:
    assert measure(launch).digest.hex() == digest
