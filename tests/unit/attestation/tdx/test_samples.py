"""Known answers: quotes of real hardware, verified up to Intel's pinned root."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.attestation import (
    Check,
    Collateral,
    EvidenceRefused,
    Outcome,
    PolicyDocument,
    TdxQuote,
    TdxResult,
    verify_quote,
)
from prism_iac.attestation.tdx._pck import read_pck
from prism_iac.pki import load_certificates

SAMPLES = Path(__file__).parent / "samples"
IN_2023 = datetime(2023, 7, 1, 1, tzinfo=UTC)
IN_2026 = datetime(2026, 2, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    quote: TdxQuote
    collateral: Collateral
    now: datetime

    def policy(self, trust: dict[str, Any] | None = None, **fields: Any) -> PolicyDocument:
        body = self.quote.body
        expectations = {
            "minimumTeeTcbSvn": _b64(body.tee_tcb_svn),
            "mrSeam": _b64(body.mr_seam),
            "tdAttributes": _b64(body.td_attributes),
            "xfam": _b64(body.xfam),
            "mrTd": _b64(body.mr_td),
            "rtmrs": [_b64(register) for register in body.rtmrs],
            "reportData": _b64(body.report_data),
        }
        return PolicyDocument.from_values(
            {"policy": {"tdQuoteBodyPolicy": expectations | fields}, "rootOfTrust": trust or {}}
        )

    def verify(self, policy: PolicyDocument, **arguments: Any) -> TdxResult:
        wanted: dict[str, Any] = {"now": self.now, "collateral": self.collateral}
        return verify_quote(self.quote, policy, **(wanted | arguments))

    def refused(self, policy: PolicyDocument, **arguments: Any) -> EvidenceRefused:
        with pytest.raises(EvidenceRefused) as refusal:
            self.verify(policy, **arguments)
        return refusal.value


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sample(version: int, now: datetime) -> Sample:
    quote = TdxQuote.parse((SAMPLES / f"quote-v{version}.bin").read_bytes())
    return Sample(quote, Collateral.load(SAMPLES / f"collateral-{now.year}"), now)


@pytest.fixture
def v4() -> Sample:
    return _sample(4, IN_2023)


@pytest.fixture
def v5() -> Sample:
    return _sample(5, IN_2026)


@pytest.mark.parametrize(
    ("version", "digest"),
    [
        (4, "6dde5548bec99147fef832643301f113df99931547be26df8ac376c4eaa5b5a7"),
        (5, "cf77a6e91e48291d5d338c5f3b5d0674225a4d13e7d83ff5e537a4914bf22e1d"),
    ],
)
def test_a_quote_is_written_as_it_was_read(version: int, digest: str) -> None:
    data = (SAMPLES / f"quote-v{version}.bin").read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest
    assert TdxQuote.parse(data).to_bytes() == data


def test_the_fields_of_version_4_are_read(v4: Sample) -> None:
    body, enclave = v4.quote.body, v4.quote.qe_report
    assert body.tee_tcb_svn.hex().startswith("03000400")
    assert (body.td_attributes.hex(), body.xfam.hex()) == ("0000004000000000", "e71a060000000000")
    assert (enclave.isv_prod_id, enclave.isv_svn) == (2, 4)
    assert len(v4.quote.surplus) == 39
    pck = read_pck(load_certificates(v4.quote.pck_chain)[0])
    assert (pck.fmspc.hex(), pck.pce_svn, pck.pce_id) == ("50806f000000", 11, bytes(2))
    assert pck.components.hex().startswith("0303020202010002")


def test_the_fields_of_version_5_are_read(v5: Sample) -> None:
    body, enclave = v5.quote.body, v5.quote.qe_report
    assert body.tee_tcb_svn.hex().startswith("0b0104")
    assert body.tee_tcb_svn_2.hex().startswith("0d0104")
    assert body.mr_td.hex().startswith("7348651a34b2d2d3462822e3a750ec61")
    assert (body.td_attributes.hex(), body.xfam.hex()) == ("0000001000000000", "e702060000000000")
    assert (enclave.isv_prod_id, enclave.isv_svn, v5.quote.surplus) == (2, 7, b"")


@pytest.mark.parametrize("make", [lambda: _sample(4, IN_2023), lambda: _sample(5, IN_2026)])
def test_a_quote_of_real_hardware_leads_to_the_pinned_root(make: Callable[[], Sample]) -> None:
    sample = make()
    result = sample.verify(sample.policy(), collateral=None)
    assert not result.is_simulated
    assert _outcomes(result.checks)["TCB info"] is Outcome.NOT_ASKED


def test_the_documents_and_revocation_lists_of_2023_are_verified(v4: Sample) -> None:
    refusal = v4.refused(v4.policy({"checkCrl": True, "getCollateral": True}))
    outcomes = _outcomes(refusal.checks)
    for claim in (
        "signature of the TCB info",
        "signature of the QE identity",
        "date for the TCB info",
        "date for the QE identity",
        'revocation of "Intel SGX PCK Certificate"',
        'revocation of "Intel SGX PCK Platform CA"',
        'revocation of "Intel SGX TCB Signing"',
        "QE signer",
        "TCB of the quoting enclave",
    ):
        assert outcomes[claim] is Outcome.PASS, claim
    # The sample's platform has older microcode than every level that Intel lists.
    assert [str(claim) for claim in refusal.failed] == [
        "TCB of the platform is no level, the policy wants UpToDate"
    ]


def test_the_module_of_version_5_is_looked_up_by_its_version(v5: Sample) -> None:
    refusal = v5.refused(v5.policy())
    outcomes = _outcomes(refusal.checks)
    assert outcomes["TCB of the module TDX_01"] is Outcome.PASS
    # The sample has neither a chain for the answer nor one for the quoting enclave.
    assert outcomes["signature of the TCB info"] is Outcome.FAIL
    assert outcomes["QE identity"] is Outcome.FAIL


def test_documents_count_only_in_their_time(v4: Sample) -> None:
    later = v4.refused(v4.policy({"checkCrl": True}), now=IN_2026)
    outcomes = _outcomes(later.checks)
    assert outcomes["date for the TCB info"] is Outcome.FAIL
    assert outcomes['revocation of "Intel SGX PCK Certificate"'] is Outcome.FAIL


def test_documents_that_are_asked_for_must_be_there(v4: Sample) -> None:
    refusal = v4.refused(v4.policy({"checkCrl": True, "getCollateral": True}), collateral=None)
    assert [claim.claim for claim in refusal.failed] == [
        'revocation of "Intel SGX PCK Certificate"',
        'revocation of "Intel SGX PCK Platform CA"',
        "TCB info",
        "QE identity",
    ]


def test_a_changed_document_is_not_of_intel(v4: Sample) -> None:
    (info,) = v4.collateral.tcb_infos
    forged = replace(info, raw=info.raw.replace(b'"OutOfDate"', b'"UpToDate"'))
    refusal = v4.refused(v4.policy(), collateral=replace(v4.collateral, tcb_infos=(forged,)))
    assert _outcomes(refusal.checks)["signature of the TCB info"] is Outcome.FAIL


def test_a_policy_for_simulated_quotes_refuses_hardware(v4: Sample) -> None:
    refusal = v4.refused(v4.policy({"product": "SIMULATED"}), collateral=None)
    assert [claim.claim for claim in refusal.failed] == [*["certificate's common name"] * 3, "QE vendor"]


def _outcomes(checks: tuple[Check, ...]) -> dict[str, Outcome]:
    return {check.claim: check.outcome for check in checks}
