"""Who somebody is that signs for an environment, by their key."""

from __future__ import annotations

import base64
from pathlib import Path

from prism_iac.errors import Conflict
from prism_iac.pki import load_private_key, public_der
from prism_iac.spec.promotions import Terms

__all__ = ["name_of_signer"]


def name_of_signer(key_pem: bytes, terms: Terms, *, stack_file: Path) -> str:
    """The participant whose key it is, or the platform.

    Raises:
        Conflict: The stack file names no such key.
        InvalidInput: It is no private key.
    """
    der = base64.b64encode(public_der(load_private_key(key_pem).public_key())).decode("ascii")
    for name, key in terms.keys.items():
        if key == der:
            return name
    raise Conflict(
        "no participant has this key, and it is not the platform's",
        where=str(stack_file),
        next_step="Sign with the private key of a participant's `public_key`, or of `promotion: platform_key`.",
    )
