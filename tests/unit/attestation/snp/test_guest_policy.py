from __future__ import annotations

import pytest

from prism_iac.attestation.snp._guest_policy import (
    guest_policy_violations,
    is_guest_policy,
    is_signer_info,
    platform_violations,
)

BASE = 1 << 17

# attestation.md sections 3.3 and 3.5: which bits are a maximum, and which a minimum.
GUEST_AT_MOST = (16, 18, 19, 21)
GUEST_AT_LEAST = (20, 22, 23, 24, 25)
PLATFORM_AT_MOST = (0, 1, 6, 7, 8, 40, 63)
PLATFORM_AT_LEAST = (2, 3, 4, 5)


@pytest.mark.parametrize("bit", GUEST_AT_MOST)
def test_a_guest_has_no_more_than_is_allowed(bit: int) -> None:
    has = BASE | 1 << bit
    assert len(list(guest_policy_violations(has, BASE))) == 1
    assert not list(guest_policy_violations(has, has))
    assert not list(guest_policy_violations(BASE, has))


@pytest.mark.parametrize("bit", GUEST_AT_LEAST)
def test_a_guest_has_no_less_than_is_asked_for(bit: int) -> None:
    wants = BASE | 1 << bit
    assert len(list(guest_policy_violations(BASE, wants))) == 1
    assert not list(guest_policy_violations(wants, wants))
    assert not list(guest_policy_violations(wants, BASE))


@pytest.mark.parametrize(
    ("found", "wanted", "is_fine"),
    [(0x0137, 0x0137, True), (0x0200, 0x0137, True), (0x0136, 0x0137, False), (0x00FF, 0x0100, False)],
)
def test_the_abi_is_at_least_the_one_asked_for(found: int, wanted: int, is_fine: bool) -> None:  # noqa: FBT001  # a column
    assert (not list(guest_policy_violations(BASE | found, BASE | wanted))) is is_fine


@pytest.mark.parametrize("bit", PLATFORM_AT_MOST)
def test_a_platform_has_no_more_than_is_allowed(bit: int) -> None:
    assert len(list(platform_violations(1 << bit, 0))) == 1
    assert not list(platform_violations(0, 1 << bit))


@pytest.mark.parametrize("bit", PLATFORM_AT_LEAST)
def test_a_platform_has_no_less_than_is_asked_for(bit: int) -> None:
    assert len(list(platform_violations(0, 1 << bit))) == 1
    assert not list(platform_violations(1 << bit, 0))


@pytest.mark.parametrize(
    ("value", "is_one"), [(BASE, True), (0, False), (BASE | 1 << 26, False), (BASE - 1, False)]
)
def test_a_guest_policy_has_bit_17_and_no_reserved_bits(value: int, is_one: bool) -> None:  # noqa: FBT001  # a column
    assert is_guest_policy(value) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (0, True),
        (0b11, True),
        (1 << 2, True),
        (7 << 2, True),
        (2 << 2, False),
        (6 << 2, False),
        (1 << 5, False),
    ],
)
def test_signer_information_names_a_known_key(value: int, is_one: bool) -> None:  # noqa: FBT001  # a column
    assert is_signer_info(value) is is_one
