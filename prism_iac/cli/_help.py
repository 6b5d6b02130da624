"""What every help text has in common."""

from __future__ import annotations

from typing import Final

from prism_iac.cli._exit_code import MEANINGS

__all__ = ["EXIT_CODES_HELP", "example"]

_AS_WRITTEN: Final = "\b\n"
"""Tells typer to keep the lines of the paragraph that follows."""


def example(*lines: str) -> str:
    """The end of a command's help: how it is used."""
    return "\n".join([f"{_AS_WRITTEN}Example:", *(f"  {line}" for line in lines)])


EXIT_CODES_HELP: Final = "\n".join(
    [f"{_AS_WRITTEN}Exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())]
)
