from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prism_iac.attestation import Evidence, PolicyDocument, SimulatedPlatform, policy_from_evidence
from prism_iac.testing import EvidenceLab

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
MEASUREMENT = bytes(range(48))
REPORT_DATA = bytes(range(64))
REPORT_ID = b"r" * 32
CHIP_ID = b"c" * 64


@pytest.fixture(scope="session")
def platform() -> SimulatedPlatform:
    return SimulatedPlatform.create(chip_id=CHIP_ID, now=NOW)


@pytest.fixture(scope="session")
def evidence(platform: SimulatedPlatform) -> Evidence:
    return platform.attest(measurement=MEASUREMENT, report_data=REPORT_DATA, report_id=REPORT_ID)


@pytest.fixture(scope="session")
def policy(evidence: Evidence) -> PolicyDocument:
    return policy_from_evidence(evidence.report)


@pytest.fixture(scope="session")
def lab() -> EvidenceLab:
    return EvidenceLab.create(now=NOW)
