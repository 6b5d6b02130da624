"""How this room refuses what it is given."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from prism_iac.errors import InvalidInput

__all__ = ["BUILD_FIX", "refusal"]

BUILD_FIX: Final = "Give a firmware image as its build made it, such as the OVMF.fd of a package."


def refusal(path: str, message: str, fix: str) -> InvalidInput:
    """An error about one input.

    Args:
        path: Which one.
        message: What is wrong with it.
        fix: What to give instead.
    """
    from prism_iac.errors import Finding, InvalidInput

    return InvalidInput([Finding(path=path, message=message, fix=fix)])
