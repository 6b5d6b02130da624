"""Evidence of every kind and the policies that it meets, for tests."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from prism_iac.attestation import (
    EvidenceRefused,
    Nonce,
    Platform,
    PolicyDocument,
    TdxQuote,
    VmEvidence,
    policy_from_evidence,
)
from prism_iac.testing import EvidenceLab

NONCE = Nonce.of(b"n" * 64)
REGISTERS = {"sha256": {"0": "00" * 32, "7": "07" * 32}}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Subject:
    """Evidence in its bytes, and a policy that it meets."""

    lab: EvidenceLab
    data: bytes
    values: dict[str, Any]

    @property
    def policy(self) -> PolicyDocument:
        return PolicyDocument.from_values(self.values)

    def verify(self, data: bytes | VmEvidence | None = None, **arguments: Any) -> Any:
        wanted: dict[str, Any] = {"nonce": NONCE}
        return self.lab.verify(self.data if data is None else data, self.policy, **(wanted | arguments))

    def failed(self, data: bytes | VmEvidence | None = None, **arguments: Any) -> list[str]:
        with pytest.raises(EvidenceRefused) as refusal:
            self.verify(data, **arguments)
        return [claim.claim for claim in refusal.value.failed]

    def expecting(self, section: str, **fields: Any) -> Subject:
        """The same evidence under a policy with other fields; None removes one."""
        place = self.values
        for name in filter(None, section.split(".")):
            place = place.get(name, {})
        changed = {name: value for name, value in (place | fields).items() if value is not None}
        values = _with(self.values, list(filter(None, section.split("."))), changed)
        return Subject(self.lab, self.data, values)


def _with(values: dict[str, Any], path: list[str], changed: dict[str, Any]) -> dict[str, Any]:
    if not path:
        return changed
    return {**values, path[0]: _with(values.get(path[0], {}), path[1:], changed)}


def snp(lab: EvidenceLab, **fields: Any) -> Subject:
    evidence = lab.snp.attest(**({"report_data": NONCE.tee} | fields))
    return Subject(lab, evidence.to_bytes(), policy_from_evidence(evidence.report).values())


def tdx_policy(quote: TdxQuote) -> dict[str, Any]:
    return {
        "policy": {
            "tdQuoteBodyPolicy": {
                "mrTd": b64(quote.body.mr_td),
                "mrSeam": b64(quote.body.mr_seam),
                "minimumTeeTcbSvn": b64(quote.body.tee_tcb_svn),
                "rtmrs": [b64(register) for register in quote.body.rtmrs],
            }
        },
        "rootOfTrust": {"product": "SIMULATED", "checkCrl": True, "getCollateral": True},
    }


def tdx(lab: EvidenceLab, **fields: Any) -> Subject:
    quote = lab.tdx.attest(**({"report_data": NONCE.tee} | fields))
    return Subject(lab, quote.to_bytes(), tdx_policy(quote))


def snp_vtpm(lab: EvidenceLab, **fields: Any) -> Subject:
    tpm = lab.snp_vtpm(NONCE, **fields)
    report = VmEvidence.parse(tpm.to_bytes()).snp
    assert report is not None
    return Subject(
        lab, tpm.to_bytes(), policy_from_evidence(report.report).values() | {"pcr_values": REGISTERS}
    )


def vtpm(lab: EvidenceLab, **fields: Any) -> Subject:
    evidence = lab.tpm.attest(NONCE.tpm, **fields)
    return Subject(
        lab, evidence.to_bytes(), {"pcr_values": REGISTERS, "rootOfTrust": {"productLine": "SIMULATED"}}
    )


def in_token(subject: Subject) -> Subject:
    platform: Platform = VmEvidence.parse(subject.data).platform
    return Subject(subject.lab, subject.lab.token(subject.data, platform, NONCE), subject.values)
