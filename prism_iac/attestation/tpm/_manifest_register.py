"""The register that an agent extends with its manifest, told beforehand.

Source: cocos-grpc.md section 8.3, table "Derivation", row "PCR 16"; TCG PC Client Platform TPM Profile for
TPM 2.0, section 4.6 (PCR 16 is zero after a reset); TPM 2.0 Library, part 1, section 17.2 (extend).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.model import Manifest

__all__ = ["MANIFEST_REGISTER", "expect_manifest", "predict_manifest_register"]

MANIFEST_REGISTER: Final = 16
"""The number of the register."""

_BANKS: Final = {"sha256": "sha3_256", "sha384": "sha3_384"}
"""The hash of the manifest that each bank is extended with."""


def predict_manifest_register(manifest: Manifest) -> Mapping[str, bytes]:
    """The value of PCR 16 by bank, once an agent that took this manifest has extended it from zero."""
    values = {}
    for bank, extended_with in _BANKS.items():
        event = hashlib.new(extended_with, manifest.canonical_bytes()).digest()
        values[bank] = hashlib.new(bank, bytes(len(event)) + event).digest()
    return values


def expect_manifest(policy: PolicyDocument, manifest: Manifest) -> PolicyDocument:
    """A policy that expects the register of a manifest besides what it does already; all else stays.

    Raises:
        InvalidInput: The policy is for TDX, or its registers are no map.
    """
    policy.snp_policy()
    for bank, value in predict_manifest_register(manifest).items():
        policy = policy.with_fields(("pcr_values", bank), {str(MANIFEST_REGISTER): value.hex()})
    return policy
