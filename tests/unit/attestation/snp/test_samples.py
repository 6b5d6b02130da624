"""Known answers: evidence of real hardware, verified up to the pinned roots."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import (
    Endorser,
    Evidence,
    EvidenceRefused,
    Outcome,
    PolicyDocument,
    Product,
    Tcb,
    verify_report,
)
from prism_iac.attestation._roots import trusted_roots
from prism_iac.attestation.snp._endorsement import Endorsement, read_endorsement
from prism_iac.errors import InvalidInput
from prism_iac.pki import is_issued_by, parse_certificate

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2023, 9, 25, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    evidence: Evidence
    values: dict[str, Any]

    @classmethod
    def load(cls, name: str) -> Sample:
        bare = Evidence.parse((SAMPLES / f"{name}.bin").read_bytes())
        leaf = (SAMPLES / f"{name}.vcek.der").read_bytes()
        report = bare.report
        values = {
            "policy": {
                "policy": str(report.policy),
                "vmpl": report.vmpl,
                "measurement": _b64(report.measurement),
                "hostData": _b64(report.host_data),
                "reportData": _b64(report.report_data),
                "minimumTcb": str(report.reported_tcb.to_int()),
                "product": {"name": "SEV_PRODUCT_MILAN"},
            }
        }
        return cls(Evidence(report, {Endorser.VCEK: leaf}), values)

    def policy(self, **fields: Any) -> PolicyDocument:
        return PolicyDocument.from_values({**self.values, "policy": self.values["policy"] | fields})

    def failed(self, *, now: datetime = NOW, **fields: Any) -> list[str]:
        with pytest.raises(EvidenceRefused) as refusal:
            verify_report(self.evidence, self.policy(**fields), now=now)
        return [str(claim) for claim in refusal.value.failed]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def sample() -> Sample:
    return Sample.load("milan-2022")


@pytest.mark.parametrize("name", ["milan-2022", "milan-2023"])
def test_evidence_of_real_hardware_leads_to_a_pinned_root(name: str) -> None:
    sample = Sample.load(name)
    result = verify_report(sample.evidence, sample.policy(), now=NOW)
    assert result.product is Product.MILAN
    assert not result.is_simulated
    assert {check.outcome for check in result.checks} == {Outcome.PASS, Outcome.NOT_ASKED}


def test_the_sample_says_what_its_project_says(sample: Sample) -> None:
    report = sample.evidence.report
    assert (report.version, report.policy, report.vmpl, report.platform_info) == (2, 0xB0000, 0, 1)
    tcb = Tcb.from_int(0x4405000000000002)
    assert (report.current_tcb, report.reported_tcb, report.committed_tcb, report.launch_tcb) == (tcb,) * 4
    assert report.report_data == bytes.fromhex("0102030405").ljust(64, b"\0")
    assert report.measurement.hex().startswith("b07af9620f3b839b47996422ddec6058338951d984e31211")
    assert (report.current_version, report.current_build) == ((1, 49), 3)


# attestation.md section 3.8: how go-sev-guest answers the same changes.
@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        (
            {"policy": "196608"},
            "guest policy is 0xb0000 (debugging by the host is on), the policy wants 0x30000",
        ),
        (
            {"minimumTcb": "4901323769462652931"},
            "reported TCB, boot loader is 2, the policy wants at least 3",
        ),
        ({"platformInfo": "0"}, "platform information is 0x1 (SMT is on), the policy wants 0x0"),
        ({"requireIdBlock": True}, f"ID key is {'0' * 12}…0000, the policy wants a trusted one"),
        ({"vmpl": 1}, "VMPL is 0, the policy wants 1"),
        ({"product": {"name": "SEV_PRODUCT_GENOA"}}, "product is Milan, the policy wants Genoa"),
    ],
)
def test_a_change_of_the_policy_is_answered_as_go_sev_guest_answers_it(
    sample: Sample, fields: dict[str, Any], failed: str
) -> None:
    assert sample.failed(**fields) == [failed]


def test_a_guest_policy_of_zero_is_an_error(sample: Sample) -> None:
    with pytest.raises(InvalidInput, match=r"policy\.policy"):
        verify_report(sample.evidence, sample.policy(policy="0"), now=NOW)


@pytest.mark.parametrize("year", [2020, 2035])
def test_the_chips_certificate_has_its_time(sample: Sample, year: int) -> None:
    failed = sample.failed(now=NOW.replace(year=year))
    assert any(claim.startswith('date for the certificate "SEV-VCEK"') for claim in failed)


def test_the_certificate_of_a_turin_chip_is_read_and_leads_to_its_root() -> None:
    leaf = parse_certificate((SAMPLES / "turin.vcek.der").read_bytes())
    # FMC, boot loader, TEE, SNP, and microcode in the last byte.
    tcb = Tcb(bytes((0, 0, 0, 0, 0, 0, 0, 9)))
    assert read_endorsement(leaf) == Endorsement(Product.TURIN, "", tcb, bytes.fromhex("1e550a8ee5cf9f4d"))
    assert any(is_issued_by(leaf, issuer) for issuer in trusted_roots(None))
