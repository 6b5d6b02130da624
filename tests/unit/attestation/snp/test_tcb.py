from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation import Product, Tcb

tcbs = st.binary(min_size=8, max_size=8).map(Tcb)


def test_the_number_of_policy_files_has_the_boot_loader_lowest() -> None:
    tcb = Tcb.from_int(0xD50E000000000003)
    parts = dict(zip(Product.MILAN.tcb_parts, tcb.parts, strict=True))
    assert (parts["boot loader"], parts["SNP"], parts["microcode"]) == (3, 0x0E, 0xD5)


def test_turin_lays_the_parts_out_differently() -> None:
    assert Product.TURIN.tcb_parts[:4] == ("FMC", "boot loader", "TEE", "SNP")
    assert len(Product.TURIN.tcb_parts) == len(Product.MILAN.tcb_parts) == 8


@pytest.mark.fault(56)
def test_parts_are_compared_one_by_one_and_never_as_a_number() -> None:
    newer_microcode_older_loader = Tcb.from_int(0xFF00000000000001)
    minimum = Tcb.from_int(0x0100000000000002)
    assert newer_microcode_older_loader.to_int() > minimum.to_int()
    assert newer_microcode_older_loader.below(minimum) == (0,)


@given(tcbs)
def test_a_tcb_survives_its_number(tcb: Tcb) -> None:
    assert Tcb.from_int(tcb.to_int()) == tcb


@given(tcbs, tcbs)
def test_one_of_two_different_tcbs_is_below_the_other_somewhere(one: Tcb, other: Tcb) -> None:
    assert (one == other) is (not one.below(other) and not other.below(one))
