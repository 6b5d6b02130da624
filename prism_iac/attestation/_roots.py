"""The trust anchors: the pinned set, or those of a file that the relying party names.

Evidence never adds to them. Source: attestation.md sections 2.4 and 4.4; `roots/README.md` has the
fingerprints.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509

from prism_iac.pki import load_certificates

__all__ = ["trusted_roots"]

_FOLDER: Final = Path(__file__).parent / "roots"
_FILES: Final = ("amd.pem", "intel.pem")


def trusted_roots(pem: bytes | None) -> Sequence[x509.Certificate]:
    """The certificates of a file of roots, PEM, or the pinned set without (attestation.md section 2.4).

    Certificates among them that are not self-signed serve as intermediates.

    Raises:
        InvalidInput: The file holds no certificate, or one that cannot be read.
    """
    return _pinned() if pem is None else load_certificates(pem)


@cache
def _pinned() -> tuple[x509.Certificate, ...]:
    return tuple(item for file in _FILES for item in load_certificates((_FOLDER / file).read_bytes()))
