"""A TCB version: eight security version numbers, compared one by one.

Source: AMD 56860 §2.2, table 3; attestation.md sections 2.3 and 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Tcb"]

_PARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Tcb:
    """The eight parts, in the order of memory; their names depend on the product.

    There is deliberately no order: of two TCBs each may be newer in some part.
    """

    parts: bytes

    def __post_init__(self) -> None:
        assert len(self.parts) == _PARTS, "a TCB version has eight parts"

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    @classmethod
    def from_int(cls, value: int) -> Tcb:
        """The parts of the 64-bit number that policy files carry (attestation.md section 3.4)."""
        return cls(value.to_bytes(_PARTS, "little"))

    def to_int(self) -> int:
        """The 64-bit number that policy files carry (attestation.md section 3.4)."""
        return int.from_bytes(self.parts, "little")

    def below(self, minimum: Tcb) -> tuple[int, ...]:
        """The indices of the parts that are less than a minimum; empty when none is (section 3.4)."""
        return tuple(
            index
            for index, (found, wanted) in enumerate(zip(self.parts, minimum.parts, strict=True))
            if found < wanted
        )
