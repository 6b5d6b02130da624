"""A VM that can prove itself, made once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from prism_iac.attestation import Launch, SimulatedGuest, SimulatedPlatform

__all__ = ["simulated_guest"]


@cache
def simulated_guest() -> SimulatedGuest:
    """The guest; making its platform takes a second."""
    platform = SimulatedPlatform.create(chip_id=bytes(64), now=datetime(2026, 1, 12, 9, 30, tzinfo=UTC))
    return SimulatedGuest(platform, Launch(measurement=bytes(48), report_id=bytes(32)))
