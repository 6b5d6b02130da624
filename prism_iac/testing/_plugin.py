"""What pytest finds here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prism_iac.testing._lab import EvidenceLab

__all__ = ["evidence_lab"]


@pytest.fixture(scope="session")
def evidence_lab() -> EvidenceLab:
    """A laboratory of this session, with roots that nobody else trusts; its time is that of its making."""
    return EvidenceLab.create(now=datetime.now(UTC))
