"""How this room refuses what it is given.

The errors are imported when one is raised, so that measuring, which the command line does in a few
milliseconds, does not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
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
