"""The options, once: names as other measuring tools have them, values, and what help says of them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["MODES", "OPTIONS", "VMM_TYPES", "Option"]

MODES: Final = ("sev", "seves", "snp", "snp:ovmf-hash", "snp:svsm", "tdx")
VMM_TYPES: Final = ("QEMU", "ec2", "gce", "krun")


class Option(NamedTuple):
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

    names: tuple[str, ...]
    help: str
    metavar: str = ""
    kind: Literal["text", "file", "number", "word", "choice", "flag"] = "text"
    choices: tuple[str, ...] = ()
    default: str | int | bool | None = None
    is_required: bool = False

    @property
    def key(self) -> str:
        """The name of its value."""
        return self.names[0].removeprefix("--").replace("-", "_")


OPTIONS: Final = (
    Option(("--mode", "-m"), "The kind of guest.", kind="choice", choices=MODES, is_required=True),
    Option(
        ("--ovmf", "-o"), "The firmware; for tdx with its variables.", "FILE", kind="file", is_required=True
    ),
    Option(("--vcpus",), "How many vCPUs the guest has.", "N", kind="number"),
    Option(("--vcpu-type", "-t"), "QEMU's name of the vCPUs' model, such as EPYC-v4.", "TYPE"),
    Option(("--vcpu-sig", "-s"), "Their signature, instead of a type.", "VALUE", kind="word"),
    Option(("--vcpu-family", "-f"), "Their family, instead of a type.", "N", kind="number"),
    Option(("--vcpu-model", "-l"), "Their model, with a family.", "N", kind="number"),
    Option(("--vcpu-stepping", "-p"), "Their stepping, with a family.", "N", kind="number"),
    Option(("--vmm-type",), "The hypervisor.", kind="choice", choices=VMM_TYPES, default="QEMU"),
    Option(("--kernel", "-k"), "The kernel that the hypervisor gives it.", "FILE", kind="file"),
    Option(("--initrd", "-i"), "The initial ramdisk of the kernel.", "FILE", kind="file"),
    Option(("--append", "-a"), "The command line of the kernel.", "TEXT"),
    Option(("--guest-features",), "SEV_FEATURES of a SEV-SNP guest.", "VALUE", kind="word", default=0x1),
    Option(("--snp-ovmf-hash",), "What the mode snp:ovmf-hash printed, to save its time.", "HEX"),
    Option(("--svsm",), "The SVSM, in the mode snp:svsm.", "FILE", kind="file"),
    Option(
        ("--vars-file",), "The file of the firmware's variables, in the mode snp:svsm.", "FILE", kind="file"
    ),
    Option(("--vars-size",), "How many bytes it has, instead of the file.", "N", kind="number"),
    Option(
        ("--mrtd-order",),
        "How the hypervisor builds a TDX guest.",
        kind="choice",
        choices=("single-pass", "two-pass"),
        default="single-pass",
    ),
    Option(
        ("--output-format",),
        "How the digest is written.",
        kind="choice",
        choices=("hex", "base64"),
        default="hex",
    ),
    Option(("--explain",), "Print what went into it, too.", kind="flag", default=False),
    Option(("--json",), "Print one JSON document, for programs.", kind="flag", default=False),
)
"""All of them, in the order of help. The names of the first fifteen are those of `sev-snp-measure`, and their
letters those of `cocos-cli sevsnpmeasure`."""
