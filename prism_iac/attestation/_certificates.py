"""What every chain of certificates is checked for.

Source: RFC 5280 §4.1.2.5 and §6.1.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509

from prism_iac.attestation._check import Check, judge
from prism_iac.pki import common_name_of

__all__ = ["check_dates"]


def check_dates(certificates: Sequence[x509.Certificate], now: datetime) -> Iterator[Check]:
    """A check of each certificate's validity (RFC 5280 §4.1.2.5)."""
    for certificate in certificates:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        yield judge(
            f"date for the certificate {common_name_of(certificate)}",
            f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}",
            f"{now:%Y-%m-%d}",
            holds=begin <= now <= end,
        )
