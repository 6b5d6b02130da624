"""The options, once: names as other measuring tools have them, values, and what help says of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Final, Literal, TypedDict

    Kind = Literal["text", "file", "number", "word", "choice", "flag"]
    StrPath = str | PathLike[str]

    class Given(TypedDict):
        """The value of every option, by its key."""

        mode: str
        ovmf: StrPath
        vcpus: int | None
        vcpu_type: str | None
        vcpu_sig: int | None
        vcpu_family: int | None
        vcpu_model: int | None
        vcpu_stepping: int | None
        vmm_type: str
        kernel: StrPath | None
        initrd: StrPath | None
        append: str | None
        guest_features: int
        snp_ovmf_hash: str | None
        svsm: StrPath | None
        vars_file: StrPath | None
        vars_size: int | None
        two_pass: bool
        output_format: str
        explain: bool
        json: bool


__all__ = ["MODES", "OPTIONS", "VMM_TYPES", "Option"]

MODES: Final = ("sev", "seves", "snp", "snp:ovmf-hash", "snp:svsm", "tdx")
VMM_TYPES: Final = ("QEMU", "ec2", "gce", "krun")


class Option:
    """One option.

    Attributes:
        names: How it is written; the first, without its dashes, names its value.
        help: What it is for.
        metavar: What stands for its value in help.
        kind: How its value is written. A `number` is decimal; a `word` of bits is in any base, as 0x1 is.
        choices: The values that a `choice` may have.
        default: The value when it is not given; None is none.
        is_required: Whether it must be given.
    """

    def __init__(
        self,
        *names: str,
        help: str,  # noqa: A002  # what typer calls it
        metavar: str = "",
        kind: Kind = "text",
        choices: tuple[str, ...] = (),
        default: str | int | None = None,
        is_required: bool = False,
    ) -> None:
        self.names = names
        self.key = names[0].removeprefix("--").replace("-", "_")
        self.help = help
        self.metavar = metavar
        self.kind = kind
        self.choices = choices
        self.default = default
        self.is_required = is_required


OPTIONS: Final = (
    Option("--mode", "-m", help="The kind of guest.", kind="choice", choices=MODES, is_required=True),
    Option(
        "--ovmf",
        "-o",
        help="The firmware; for tdx with its variables.",
        metavar="FILE",
        kind="file",
        is_required=True,
    ),
    Option("--vcpus", help="How many vCPUs the guest has.", metavar="N", kind="number"),
    Option("--vcpu-type", "-t", help="QEMU's name of the vCPUs' model, such as EPYC-v4.", metavar="TYPE"),
    Option("--vcpu-sig", "-s", help="Their signature, instead of a type.", metavar="VALUE", kind="word"),
    Option("--vcpu-family", "-f", help="Their family, instead of a type.", metavar="N", kind="number"),
    Option("--vcpu-model", "-l", help="Their model, with a family.", metavar="N", kind="number"),
    Option("--vcpu-stepping", "-p", help="Their stepping, with a family.", metavar="N", kind="number"),
    Option("--vmm-type", help="The hypervisor.", kind="choice", choices=VMM_TYPES, default="QEMU"),
    Option("--kernel", "-k", help="The kernel that the hypervisor gives it.", metavar="FILE", kind="file"),
    Option("--initrd", "-i", help="The initial ramdisk of the kernel.", metavar="FILE", kind="file"),
    Option("--append", "-a", help="The command line of the kernel.", metavar="TEXT"),
    Option(
        "--guest-features", help="SEV_FEATURES of a SEV-SNP guest.", metavar="VALUE", kind="word", default=0x1
    ),
    Option("--snp-ovmf-hash", help="What the mode snp:ovmf-hash printed, to save its time.", metavar="HEX"),
    Option("--svsm", help="The SVSM, in the mode snp:svsm.", metavar="FILE", kind="file"),
    Option(
        "--vars-file",
        help="The file of the firmware's variables, in the mode snp:svsm.",
        metavar="FILE",
        kind="file",
    ),
    Option("--vars-size", help="How many bytes it has, instead of the file.", metavar="N", kind="number"),
    Option(
        "--two-pass",
        help="For tdx: all pages of a section are added before the first is measured, as patched QEMU 8 does.",
        kind="flag",
        default=False,
    ),
    Option(
        "--output-format",
        help="How the digest is written.",
        kind="choice",
        choices=("hex", "base64"),
        default="hex",
    ),
    Option("--explain", help="Print what went into it, too.", kind="flag", default=False),
    Option("--json", help="Print one JSON document, for programs.", kind="flag", default=False),
)
"""All of them, in the order of help. The names of the first fifteen are those of `sev-snp-measure`, and their
letters those of `cocos-cli sevsnpmeasure`."""
