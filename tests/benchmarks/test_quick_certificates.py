"""The benchmark of bundles in its quick form."""

from __future__ import annotations

from benchmarks import certificates

# Other tests run beside it, and primes are a matter of luck; what misses a target by so much is wrong anywhere.
_LOOSE = 5.0


def test_bundles_are_measured_beside_the_recipe() -> None:
    rsa, *curves = certificates.measure(quick=True)
    assert (rsa.unit, rsa.at_most) == ("ratio", 1.1)
    assert rsa.median < _LOOSE * 1.1
    for figure in curves:
        assert (figure.unit, figure.at_most) == ("ms", 20.0)
        assert figure.median < _LOOSE * 20.0
