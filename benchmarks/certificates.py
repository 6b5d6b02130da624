"""How fast bundles are made, beside the commands of the recipe."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, compare, seconds_of
from prism_iac.model.resources import CertificateBundle, KeyAlgorithm, KeySpec
from prism_iac.pki import issue_bundle
from tests.unit.pki.recipe import make_by_recipe

__all__ = ["measure"]

_NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
_OF_THE_RECIPE: Final = 1.1
_MILLISECONDS_AT_MOST: Final = 20.0


def measure(*, quick: bool) -> Iterator[Figure]:
    """CA, server and client: RSA as the recipe has it, and the curves."""
    bits = 2048 if quick else 4096
    rsa = KeySpec(algorithm=KeyAlgorithm.RSA, size=bits)
    # The search for primes takes as long as luck has it: many rounds, so that it evens out.
    pairs = [(_seconds(rsa), _recipe_seconds(bits)) for _ in range(5 if quick else 10)]
    subject, reference = zip(*pairs, strict=True)
    yield compare(f"bundle of RSA {bits} beside the recipe", subject, reference, at_most=_OF_THE_RECIPE)
    for size in (256, 384):
        key = KeySpec(algorithm=KeyAlgorithm.ECDSA, size=size)
        _seconds(key)  # what is made at the first use is there from now on
        milliseconds = tuple(1000 * _seconds(key) for _ in range(20 if quick else 100))
        yield Figure(f"bundle of P-{size}", "ms", milliseconds, _MILLISECONDS_AT_MOST)


def _seconds(key: KeySpec) -> float:
    wanted = CertificateBundle(key=key)
    return seconds_of(lambda: issue_bundle(wanted, now=_NOW))


def _recipe_seconds(bits: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return seconds_of(lambda: make_by_recipe(Path(folder), bits=bits))
