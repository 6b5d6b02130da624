"""What makers of certificates do against the standards, and a reader cannot mend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.utils import CryptographyDeprecationWarning

__all__ = ["oddities_forgiven"]


@contextmanager
def oddities_forgiven() -> Iterator[None]:
    """Let certificates be read without a warning.

    AMD's chip certificates have the serial number 0 (attestation.md section 2.4); some makers of TPMs give names
    longer than X.520 allows.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parsed a serial number", CryptographyDeprecationWarning)
        warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
        yield
