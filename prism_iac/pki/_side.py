"""The two ends of a connection."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Side"]


class Side(StrEnum):
    """Which end of a connection a certificate is for."""

    SERVER = "server"
    CLIENT = "client"
