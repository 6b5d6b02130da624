"""Bytes on the command line, in hexadecimal."""

from __future__ import annotations

from prism_iac.errors import Finding, InvalidInput

__all__ = ["read_octets"]


def read_octets(option: str, text: str) -> bytes:
    """The bytes that an option gives.

    Raises:
        InvalidInput: They are not hexadecimal.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        finding = Finding(
            path=option, message="is not hexadecimal", fix="Give the bytes that the agent was sent."
        )
        raise InvalidInput([finding]) from error
