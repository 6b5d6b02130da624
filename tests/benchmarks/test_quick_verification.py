"""The benchmark of verification in its quick form."""

from __future__ import annotations

from benchmarks import verification

# Other tests run beside it; what misses the target by so much is wrong on any machine.
_LOOSE = 5.0


def test_verification_is_measured_beside_its_signature_checks() -> None:
    taken, ratio = verification.measure(quick=True)
    assert (taken.unit, taken.at_most) == ("ms", 2.0)
    assert taken.median < _LOOSE * 2.0
    assert (ratio.unit, ratio.at_most) == ("ratio", None)
    assert ratio.median > 1.0
