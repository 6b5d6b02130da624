"""The hashes of a kernel, its initial ramdisk and its command line, which the hypervisor hands to the firmware.

Source: QEMU `target/i386/sev.c` (`sev_add_kernel_loader_hashes`); attestation.md section 1.7.
"""

from __future__ import annotations

from hashlib import file_digest, sha256

from prism_iac.attestation.measurement._guid import guid
from prism_iac.attestation.measurement._pages import PAGE_BYTES
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Part
from prism_iac.attestation.measurement._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Final

    StrPath = str | PathLike[str]

__all__ = ["KernelHashes"]

_TABLE: Final = guid("9438d606-4f22-4cc9-b479-a793d411fd21")
_COMMAND_LINE: Final = guid("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
_INITRD: Final = guid("44baf731-3a2f-4bd7-9af1-41e29169781d")
_KERNEL: Final = guid("4de79437-abd2-427f-b835-d5b172d2045b")

_TABLE_BYTES: Final = 168
_ENTRY_BYTES: Final = 50
_PADDING: Final = bytes(8)


class KernelHashes(Value):
    """What of a kernel is measured: SHA-256 of the file, of its initial ramdisk, and of its command line.

    Attributes:
        kernel: 32 bytes.
        initrd: 32 bytes; of the empty string where there is none.
        command_line: 32 bytes; of the line with the NUL that ends it.
    """

    kernel: bytes
    initrd: bytes
    command_line: bytes

    @classmethod
    def of(cls, kernel: bytes, *, initrd: bytes = b"", command_line: str = "") -> KernelHashes:
        """The hashes of bytes.

        Source: attestation.md section 1.7.

        Raises:
            InvalidInput: The command line cannot be one.
        """
        return cls(sha256(kernel).digest(), sha256(initrd).digest(), _of_command_line(command_line))

    @classmethod
    def load(cls, kernel: StrPath, *, initrd: StrPath | None = None, command_line: str = "") -> KernelHashes:
        """The hashes of files, which are read in pieces.

        Source: attestation.md section 1.7.

        Raises:
            InvalidInput: The command line cannot be one.
            OSError: A file cannot be read.
        """
        return cls(
            _of_file(kernel),
            sha256().digest() if initrd is None else _of_file(initrd),
            _of_command_line(command_line),
        )

    def table(self) -> bytes:
        """The 176 bytes that lie in the guest's memory.

        Source: attestation.md section 1.7.
        """
        return b"".join(
            (
                *(_TABLE, _TABLE_BYTES.to_bytes(2, "little")),
                *(_COMMAND_LINE, _ENTRY_BYTES.to_bytes(2, "little"), self.command_line),
                *(_INITRD, _ENTRY_BYTES.to_bytes(2, "little"), self.initrd),
                *(_KERNEL, _ENTRY_BYTES.to_bytes(2, "little"), self.kernel),
                _PADDING,
            )
        )

    def parts(self) -> tuple[Part, ...]:
        """What each hash is of."""
        hashes = (("kernel", self.kernel), ("initrd", self.initrd), ("command line", self.command_line))
        return tuple(Part(name, "SHA-256 in the table of kernel hashes", digest) for name, digest in hashes)

    def page(self, offset: int) -> bytes | None:
        """The page with the table at an offset; None when it does not fit.

        Source: attestation.md section 1.7, SNP page.
        """
        page = bytes(offset) + self.table()
        return page.ljust(PAGE_BYTES, b"\0") if len(page) <= PAGE_BYTES else None


def _of_file(path: StrPath) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # `pathlib` would cost the command line more than the hash
        return file_digest(file, "sha256").digest()


def _of_command_line(text: str) -> bytes:
    try:
        line = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        line = b"\0"
    if b"\0" in line:
        raise refusal("append", "holds a character that no command line can have", "Remove it.")
    return sha256(line + b"\0").digest()
