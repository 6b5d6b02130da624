"""The processor products that evidence comes from, and how each lays out its TCB.

Source: attestation.md sections 2.3 and 2.4; AMD 57230 for the names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Product", "product_of_cpuid"]

_RESERVED: Final = "reserved"
_MILAN_PARTS: Final = (
    "boot loader", "TEE", _RESERVED, _RESERVED, _RESERVED, _RESERVED, "SNP", "microcode",
)  # fmt: skip
_TURIN_PARTS: Final = (
    "FMC", "boot loader", "TEE", "SNP", _RESERVED, _RESERVED, _RESERVED, "microcode",
)  # fmt: skip


class Product(StrEnum):
    """A product line, by the name that its certificates carry."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"
    VENICE = "Venice"
    SIMULATED = "SIMULATED"
    """No processor at all: keys made by this package. No policy for hardware names it."""
    SIMULATED_TURIN = "SIMULATED_TURIN"
    """The same, with the TCB layout of Turin."""

    @property
    def is_simulated(self) -> bool:
        """Whether there is no hardware behind it."""
        return self in (Product.SIMULATED, Product.SIMULATED_TURIN)

    @property
    def tcb_parts(self) -> tuple[str, ...]:
        """The names of the eight bytes of a TCB version, lowest address first."""
        return _TURIN_PARTS if self in _LIKE_TURIN else _MILAN_PARTS


_LIKE_TURIN: Final = (Product.TURIN, Product.VENICE, Product.SIMULATED_TURIN)

_CPUID: Final[dict[tuple[int, range], Product]] = {
    (0x00, range(0x01)): Product.SIMULATED,
    (0x00, range(0x01, 0x02)): Product.SIMULATED_TURIN,
    (0x19, range(0x10)): Product.MILAN,
    (0x19, range(0x10, 0x20)): Product.GENOA,
    (0x19, range(0xA0, 0xB0)): Product.GENOA,
    (0x1A, range(0x12)): Product.TURIN,
    (0x1A, range(0x50, 0x58)): Product.VENICE,
    (0x1A, range(0x90, 0xB0)): Product.VENICE,
    (0x1A, range(0xC0, 0xC8)): Product.VENICE,
}
"""Family and models of each product; no processor has family 0."""


def product_of_cpuid(family: int, model: int) -> Product | None:
    """The product of a combined CPUID family and model; None when it is not known (attestation.md section 2.3)."""
    return next(
        (product for (known, models), product in _CPUID.items() if known == family and model in models),
        None,
    )
