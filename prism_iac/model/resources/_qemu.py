"""How a VM of the provider `qemu` is started."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from prism_iac.model._canonical import Text, WholeNumber
from prism_iac.model._change import REPLACE
from prism_iac.model._document import Document
from prism_iac.model._refusal import Refusal

__all__ = ["Acceleration", "QemuEvidence", "QemuProtection", "QemuSettings"]


class Acceleration(StrEnum):
    """Whether the processor runs the guest (KVM), or QEMU translates it."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class QemuProtection(StrEnum):
    """What keeps the machine out of the guest's memory."""

    HARDWARE = "hardware"
    NONE = "none"


class QemuEvidence(StrEnum):
    """What the agent of a guest without protection shows."""

    NONE = "none"
    SIMULATED = "simulated"


_FILES: Final = ("kernel", "initrd", "firmware", "variables", "igvm", "disk")
_PORTS: Final = re.compile(r"(\d{1,5})-(\d{1,5})")
_MOST_PORTS: Final = 1 << 16


def _port_range(value: str) -> str:
    match = _PORTS.fullmatch(value)
    if match is None or not 0 < int(match[1]) <= int(match[2]) < _MOST_PORTS:
        raise Refusal(f'"{value}" is no range of ports', "Write it like 6100-6200.")
    return value


class QemuSettings(Document):
    """How a VM of the provider `qemu` is started.

    Paths of a stack file are relative to that file, those of a program to the project folder.
    """

    protection: Annotated[QemuProtection, REPLACE] = QemuProtection.HARDWARE
    """`hardware`: SEV-SNP or TDX, as `platform` says, or no VM at all. `none`: a plain VM, for trying out."""

    evidence: Annotated[QemuEvidence, REPLACE] = QemuEvidence.NONE
    """`simulated` gives a plain VM evidence that this machine signs; policies for hardware reject it."""

    acceleration: Annotated[Acceleration, REPLACE] = Acceleration.AUTO
    """`on` demands KVM, `off` emulates the processor, `auto` uses KVM where it works; for plain VMs."""

    binary: Annotated[Text, REPLACE] = "qemu-system-x86_64"
    """The program of QEMU, by name or path."""

    machine: Annotated[Text, REPLACE] = "q35"
    """QEMU's machine type."""

    cpu: Annotated[Text, REPLACE] = "EPYC"
    """QEMU's CPU model; the launch measurement of SEV-SNP contains it."""

    memory_mib: Annotated[WholeNumber, Field(ge=512), REPLACE] = 2048
    """The memory of the guest, MiB."""

    kernel: Annotated[Text | None, REPLACE] = None
    """The kernel to boot; that of the guest image (`prism-iac vms image`) when left out."""

    initrd: Annotated[Text | None, REPLACE] = None
    """The initial ramdisk beside `kernel`."""

    cmdline: Annotated[Text | None, REPLACE] = None
    """The kernel's command line; that of the guest image when left out."""

    firmware: Annotated[Text | None, REPLACE] = None
    """OVMF; hardware needs it. Without it a plain VM boots its kernel from QEMU's own firmware."""

    variables: Annotated[Text | None, REPLACE] = None
    """OVMF's variables, of which each plain VM gets a copy, when `firmware` is the code alone."""

    igvm: Annotated[Text | None, REPLACE] = None
    """An IGVM file to start a SEV-SNP guest from, such as that of COCONUT-SVSM, in place of `firmware`."""

    disk: Annotated[Text | None, REPLACE] = None
    """A disk image to boot from in place of a kernel; each VM writes to a layer of its own over it."""

    disk_format: Annotated[Text, REPLACE] = "qcow2"
    """The format of `disk`."""

    ports: Annotated[Text, AfterValidator(_port_range), REPLACE] = "6100-6200"
    """The ports of this machine that lead to agents; each VM takes the first free one."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing keeps the machine out of the guest's memory."""
        return self.protection is QemuProtection.NONE

    @property
    def own_agent(self) -> bool:
        """Whether the agent is that of this package's guest image."""
        return self.kernel is None and self.disk is None

    @property
    def files(self) -> dict[str, str]:
        """The paths that it has, by field; that of the program, too, where it is no mere name."""
        paths = {field: path for field in _FILES if (path := getattr(self, field)) is not None}
        return paths | ({"binary": self.binary} if "/" in self.binary else {})

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for field, message, fix in self._contradictions():
            raise Refusal(message, fix, field=field)
        return self

    def _contradictions(self) -> list[tuple[str, str, str]]:
        plain_only = "Say `protection: none`, or remove it."
        table = (
            (
                "evidence",
                self.evidence is QemuEvidence.SIMULATED and not self.is_plain,
                "evidence of protected hardware is never simulated",
                plain_only,
            ),
            (
                "acceleration",
                self.acceleration is Acceleration.OFF and not self.is_plain,
                "protection by hardware needs KVM",
                plain_only,
            ),
            (
                "variables",
                self.variables is not None and (not self.is_plain or self.firmware is None),
                "variables belong to the firmware of a plain VM",
                "Name both with `protection: none`, or remove the variables.",
            ),
            (
                "igvm",
                self.igvm is not None and (self.is_plain or self.firmware is not None),
                "an IGVM file starts a SEV-SNP guest in place of a firmware",
                "Remove `igvm`, or `firmware` and `protection: none`.",
            ),
            (
                "disk",
                self.disk is not None and self.kernel is not None,
                "a VM boots from a disk or from a kernel, not from both",
                "Remove one of them.",
            ),
            *(
                (
                    field,
                    getattr(self, field) is not None and self.kernel is None and self.disk is not None,
                    "a VM that boots from a disk takes no kernel's settings",
                    "Remove it, or the disk.",
                )
                for field in ("initrd", "cmdline")
            ),
            (
                "initrd",
                self.initrd is not None and self.kernel is None,
                "an initrd comes with a kernel of its own",
                "Name the kernel, or remove the initrd.",
            ),
        )
        return [(field, message, fix) for field, is_wrong, message, fix in table if is_wrong]
