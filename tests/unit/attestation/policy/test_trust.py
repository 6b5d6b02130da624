"""What a change of a policy does to trust: the table of orders, their laws, and evidence as the judge."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prism_iac.attestation import PolicyDocument, SnpReport, policy_from_evidence
from prism_iac.attestation._check import Outcome
from prism_iac.attestation._snp_policy import Expectations, RootOfTrust
from prism_iac.attestation._tdx_policy import BodyPolicy, HeaderPolicy, TdxRootOfTrust
from prism_iac.attestation.policy import Trust, compare_trust
from prism_iac.attestation.policy._trust import _SNP, _TDX, Accepts, classify
from prism_iac.attestation.policy._worse_report import worse_reports
from prism_iac.attestation.snp._appraisal import Case, appraise
from prism_iac.attestation.snp._product import Product
from prism_iac.testing import EvidenceLab
from tests.unit.attestation.policy.policies import as_document, snp_values, tdx_values

A, B, C = (base64.b64encode(bytes([number]) * 48).decode() for number in (1, 2, 3))

CASES: list[tuple[dict[str, Any], dict[str, Any], str, Trust]] = [
    ({"measurement": A}, {"measurement": B}, "measurement", Trust.INCOMPARABLE),
    ({"measurement": A}, {}, "measurement", Trust.LOOSER),
    ({}, {"hostData": A[:43] + "="}, "host_data", Trust.TIGHTER),
    ({"minimumTcb": "5"}, {"minimumTcb": "4"}, "minimum_tcb", Trust.LOOSER),
    ({"minimumTcb": "256"}, {"minimumTcb": "257"}, "minimum_tcb", Trust.TIGHTER),
    # One part went up, another one down: as integers this would be an increase.
    ({"minimumTcb": "5"}, {"minimumTcb": "260"}, "minimum_tcb", Trust.INCOMPARABLE),
    ({"minimumTcb": "5"}, {}, "minimum_tcb", Trust.LOOSER),
    ({"policy": "196608"}, {"policy": "720896"}, "policy", Trust.LOOSER),
    ({"policy": "196608"}, {"policy": "131072"}, "policy", Trust.TIGHTER),
    ({"policy": "196608"}, {"policy": "1245184"}, "policy", Trust.TIGHTER),
    ({"policy": "196608"}, {"policy": "196639"}, "policy", Trust.TIGHTER),
    ({"policy": "196608"}, {"policy": "1769472"}, "policy", Trust.INCOMPARABLE),
    ({"platformInfo": "1"}, {}, "platform_info", Trust.LOOSER),
    ({"minimumVersion": "1.55"}, {"minimumVersion": "1.9"}, "minimum_version", Trust.LOOSER),
    ({"vmpl": 0}, {"vmpl": 2}, "vmpl", Trust.INCOMPARABLE),
    ({"requireIdBlock": True}, {}, "require_id_block", Trust.LOOSER),
    ({}, {"permitProvisionalFirmware": True}, "permit_provisional_firmware", Trust.LOOSER),
    ({}, {"trustedIdKeyHashes": [A]}, "trusted_id_key_hashes", Trust.LOOSER),
    ({"later": 1}, {"later": 2}, "policy.later", Trust.INCOMPARABLE),
]


def policy(fields: dict[str, Any], **sections: Any) -> PolicyDocument:
    return PolicyDocument.from_values({"policy": fields, **sections})


@pytest.mark.parametrize(("old", "new", "field", "trust"), CASES)
def test_a_field_is_judged_by_its_order(
    old: dict[str, Any], new: dict[str, Any], field: str, trust: Trust
) -> None:
    (change,) = compare_trust(policy(old), policy(new))
    assert (change.field, change.trust) == (field, trust)


def test_another_accepted_measurement_is_looser_and_its_end_tighter() -> None:
    alone = policy({"measurement": A})
    rolling = policy({"measurement": B}, acceptance={"measurements": [A]})
    after = policy({"measurement": B})
    assert [change.trust for change in compare_trust(alone, rolling)] == [Trust.LOOSER]
    assert [change.trust for change in compare_trust(rolling, after)] == [Trust.TIGHTER]
    assert [change.trust for change in compare_trust(alone, after)] == [Trust.INCOMPARABLE]


def test_the_order_of_accepted_measurements_means_nothing() -> None:
    one = policy({"measurement": A}, acceptance={"measurements": [B, C]})
    other = policy({"measurement": C}, acceptance={"measurements": [A, B]})
    assert compare_trust(one, other) == ()


def test_a_later_end_of_a_warning_is_looser() -> None:
    def until(day: str) -> PolicyDocument:
        return policy({}, acceptance={"warnUntil": {"minimum_tcb": day}})

    (change,) = compare_trust(until("2027-01-31"), until("2027-02-01"))
    assert (change.field, change.trust) == ("warn", Trust.LOOSER)
    assert change.new == "minimum_tcb until 2027-02-01"
    (ended,) = compare_trust(until("2027-01-31"), policy({}))
    assert ended.trust is Trust.TIGHTER


def test_another_platform_is_incomparable() -> None:
    tdx = PolicyDocument.from_values({"policy": {"tdQuoteBodyPolicy": {"mrTd": A}}})
    found = {change.field: change.trust for change in compare_trust(policy({"measurement": A}), tdx)}
    assert found["platform"] is Trust.INCOMPARABLE


def test_a_value_of_mrtd_that_both_fields_must_have_is_one_that_is_accepted() -> None:
    def tdx(**body: Any) -> PolicyDocument:
        return PolicyDocument.from_values({"policy": {"tdQuoteBodyPolicy": body}})

    assert compare_trust(tdx(mrTd=A), tdx(mrTd=A, anyMrTd=[A, B])) == ()
    (change,) = compare_trust(tdx(mrTd=A), tdx(anyMrTd=[A, B]))
    assert (change.field, change.trust) == ("measurement", Trust.LOOSER)
    (none,) = compare_trust(tdx(mrTd=A), tdx(mrTd=A, anyMrTd=[B]))
    assert none.trust is Trust.TIGHTER


def test_every_field_of_a_policy_has_an_order() -> None:
    snp = {*Expectations.model_fields, *RootOfTrust.model_fields}
    assert snp | {"stepping", "machine_stepping", "warn"} == set(_SNP) | {"product_line"}
    tdx = {*HeaderPolicy.model_fields, *BodyPolicy.model_fields, *TdxRootOfTrust.model_fields}
    assert tdx - {"mr_td", "any_mr_td", "rtmrs"} | {"measurement"} == set(_TDX)


BYTES = st.none() | st.binary(min_size=8, max_size=8)
NUMBERS = st.none() | st.integers(0, 3)
SETS = st.none() | st.frozensets(st.integers(0, 2))
FLAGS = st.none() | st.booleans()
BITS = st.none() | st.integers(0, 2**26 - 1)
DAYS = st.dates(date(2027, 1, 1), date(2027, 1, 3))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys({*_SNP, *_TDX}, NUMBERS),
    "policy": BITS,
    "platform_info": BITS,
    "measurement": SETS,
    **dict.fromkeys(("minimum_tcb", "minimum_launch_tcb", "minimum_tee_tcb_svn"), BYTES),
    **{name: SETS for name in _SNP if name.startswith("trusted_")},
    **{
        name: FLAGS
        for name in {*_SNP, *_TDX}
        if name.startswith(("require_", "permit_", "check_", "get_", "enable_"))
    },
    "minimum_version": st.none() | st.tuples(st.integers(0, 2), st.integers(0, 2)),
    "warn": st.none() | st.dictionaries(st.sampled_from(["vmpl", "policy"]), DAYS),
}
ORDERS = [pytest.param(order, VALUES[name], id=name) for name, order in {**_SNP, **_TDX}.items()]


@pytest.mark.parametrize(("accepts", "values"), ORDERS)
class TestEachOrder:
    @settings(max_examples=60)
    @given(data=st.data())
    def test_nothing_changes_against_itself(
        self, accepts: Accepts, values: st.SearchStrategy[Any], data: st.DataObject
    ) -> None:
        value = data.draw(values)
        assert classify(accepts, value, value) is None

    @settings(max_examples=60)
    @given(data=st.data())
    def test_the_way_back_is_the_opposite(
        self, accepts: Accepts, values: st.SearchStrategy[Any], data: st.DataObject
    ) -> None:
        one, other = data.draw(values), data.draw(values)
        opposite = {Trust.LOOSER: Trust.TIGHTER, Trust.TIGHTER: Trust.LOOSER}
        there = classify(accepts, one, other)
        assert classify(accepts, other, one) is (opposite.get(there, there) if there else None)

    @settings(max_examples=150)
    @given(data=st.data())
    def test_two_steps_in_one_direction_are_one(
        self, accepts: Accepts, values: st.SearchStrategy[Any], data: st.DataObject
    ) -> None:
        one, two, three = data.draw(values), data.draw(values), data.draw(values)
        if accepts(one, two) and accepts(two, three):
            assert accepts(one, three)


@settings(max_examples=100)
@given(snp_values() | tdx_values())
def test_a_policy_is_as_trusting_as_itself(values: dict[str, Any]) -> None:
    assert compare_trust(as_document(values), as_document(values)) == ()


CHANGED: dict[str, list[Any]] = {
    "measurement": [None, A],
    "hostData": [None],
    "chipId": [None],
    "minimumTcb": [None, "1", str(2**56), str(2**64 - 1)],
    "minimumLaunchTcb": [None, "256", str(2**64 - 1)],
    "minimumBuild": [None, 0, 255],
    "policy": ["131072", "720896", "1245184", "196639"],
    "vmpl": [0],
    "permitProvisionalFirmware": [True, None],
}


@pytest.fixture(scope="module")
def report(lab: EvidenceLab) -> SnpReport:
    return lab.snp.attest(report_data=bytes(64)).report


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_a_tighter_policy_accepts_the_old_one_accepted(report: SnpReport, data: st.DataObject) -> None:
    """The orders say what the verifier does: evidence is the judge."""

    def drawn() -> PolicyDocument:
        values = policy_from_evidence(report).values()
        for field in data.draw(st.lists(st.sampled_from(sorted(CHANGED)), max_size=4)):
            values["policy"][field] = data.draw(st.sampled_from(CHANGED[field]))
        return PolicyDocument.from_values(values)

    old, new = drawn(), drawn()
    changes = compare_trust(old, new)
    assume(all(change.trust is Trust.TIGHTER for change in changes))
    shown = data.draw(
        st.sampled_from([report, *(worse.report for worse in worse_reports(report, Product.SIMULATED))])
    )

    def is_accepted(document: PolicyDocument) -> bool:
        case = Case(shown, document.snp_policy(), None, None)
        return not any(check.outcome is Outcome.FAIL for check in appraise(case))

    assert is_accepted(old) or not is_accepted(new)
