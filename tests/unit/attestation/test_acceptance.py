"""What a policy accepts besides: a second measurement during a change-over, and fields that only warn for a while."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import EvidenceRefused, PolicyDocument, SnpReport
from prism_iac.attestation._acceptance import WARNABLE, is_enforced, settle
from prism_iac.attestation._check import Outcome
from prism_iac.attestation.policy import PolicyFile, PolicyForm, canonical_policy
from prism_iac.errors import InvalidInput
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.lab import Subject, b64, snp, vtpm

OTHER = b64(bytes([7]) * 48)


@pytest.fixture
def subject(lab: EvidenceLab) -> Subject:
    return snp(lab)


def day_of(subject: Subject) -> date:
    return subject.lab.now.date()


def warned(result: Any) -> list[str]:
    return [check.claim for check in result.checks if check.outcome is Outcome.WARN]


def test_a_measurement_that_is_accepted_besides_is_as_good(subject: Subject) -> None:
    own = subject.values["policy"]["measurement"]
    rolling = subject.expecting("policy", measurement=OTHER).expecting("acceptance", measurements=[own])
    assert warned(rolling.verify()) == []
    assert rolling.expecting("acceptance", measurements=[b64(bytes([8]) * 48)]).failed() == [
        "launch measurement"
    ]


def test_the_expected_measurement_stays_accepted_beside_others(subject: Subject) -> None:
    assert warned(subject.expecting("acceptance", measurements=[OTHER]).verify()) == []


@pytest.mark.parametrize(
    ("field", "value", "claim"),
    [
        ("measurement", OTHER, "launch measurement"),
        ("hostData", b64(bytes([7]) * 32), "host data"),
        ("vmpl", 0, "VMPL"),
        ("minimumTcb", str(2**64 - 1), "reported TCB, microcode"),
        ("minimumLaunchTcb", str(2**64 - 1), "launch TCB, microcode"),
        ("policy", str(1 << 17 | 1 << 20), "guest policy"),
        ("platformInfo", "32", "platform information"),
        ("minimumBuild", 255, "firmware build"),
    ],
)
def test_a_field_warns_until_the_end_of_its_day_and_is_enforced_after_it(
    subject: Subject, field: str, value: Any, claim: str
) -> None:
    names = {"hostData": "host_data", "minimumTcb": "minimum_tcb", "minimumLaunchTcb": "minimum_launch_tcb"}
    name = names | {"platformInfo": "platform_info", "minimumBuild": "minimum_build"}
    wrong = subject.expecting("policy", **{field: value})
    assert claim in wrong.failed()

    def until(day: date) -> Subject:
        return wrong.expecting("acceptance", warn_until={name.get(field, field): day.isoformat()})

    assert claim in warned(until(day_of(subject)).verify())
    assert claim in until(day_of(subject) - timedelta(days=1)).failed()


def test_a_field_that_warns_and_holds_says_nothing(subject: Subject) -> None:
    lenient = subject.expecting("acceptance", warn_until=dict.fromkeys(WARNABLE, "9998-12-31"))
    assert warned(lenient.verify()) == []


def test_what_always_counts_cannot_only_warn(subject: Subject) -> None:
    for field in ("product", "report_data", "check_crl", "require_id_block", "minimumTcb"):
        with pytest.raises(InvalidInput, match=f"warn_until.{field}: nothing of this name may only warn"):
            subject.expecting("acceptance", warn_until={field: "2999-01-01"}).verify()


def test_a_debug_guest_is_refused_although_its_policy_only_warns(lab: EvidenceLab) -> None:
    debugged = snp(lab, policy=1 << 17 | 1 << 16 | 1 << 19)
    lenient = debugged.expecting("acceptance", warn_until={"policy": "2999-01-01"})
    assert "guest policy" in lenient.failed()


def test_a_warning_lets_no_other_failure_pass(subject: Subject) -> None:
    wrong = subject.expecting("policy", hostData=b64(bytes([7]) * 32), vmpl=0)
    lenient = wrong.expecting("acceptance", warn_until={"vmpl": "2999-01-01"})
    with pytest.raises(EvidenceRefused) as refusal:
        lenient.verify()
    assert [claim.claim for claim in refusal.value.failed] == ["host data"]


@pytest.mark.parametrize("section", [{"warn_until": {"vmpl": "soon"}}, {"measurements": ["AA=="]}])
def test_an_acceptance_that_cannot_be_read_is_refused(subject: Subject, section: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="acceptance"):
        subject.expecting("acceptance", **section).verify()


def test_an_acceptance_that_is_not_understood_is_refused(subject: Subject) -> None:
    with pytest.raises(InvalidInput, match="not known here"):
        subject.expecting("acceptance", anything=True).verify()


def test_a_tpm_alone_is_not_touched_by_it(lab: EvidenceLab) -> None:
    subject = vtpm(lab)
    assert subject.expecting("acceptance", measurements=[OTHER]).verify().checks


@pytest.mark.parametrize("form", list(PolicyForm))
def test_an_acceptance_travels_in_every_form(subject: Subject, form: PolicyForm) -> None:
    document = subject.expecting(
        "acceptance", measurements=[OTHER], warn_until={"vmpl": "2999-01-01", "policy": "2999-12-31"}
    ).policy
    written = PolicyFile.parse(PolicyFile.make(document, form).to_bytes()).document
    assert written.snp_policy() == document.snp_policy()
    assert canonical_policy(written) == canonical_policy(document)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-2 * 86400, 2 * 86400))
def test_a_day_ends_at_midnight_utc(until: date, seconds: int) -> None:
    midnight = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    assert is_enforced(until, midnight + timedelta(seconds=seconds)) is (seconds >= 0)


def test_a_policy_without_the_section_is_settled_as_it_is(lab: EvidenceLab) -> None:
    subject = snp(lab)
    report: SnpReport = lab.snp.attest(report_data=bytes(64)).report
    document: PolicyDocument = subject.policy
    settled = settle(document, report, now=lab.now)
    assert settled.enforced is document
    assert settled.wanted is document
