"""TPM: quotes of platform configuration registers, the key that signs them, and the message they travel in.

Main entries: `TpmEvidence`, `check_quotes`, `predict_manifest_register`. Imports of its siblings only what
policies mean, and of the package only `pki`, `model` and `errors`.
"""

from prism_iac.attestation.tpm._manifest_register import (
    MANIFEST_REGISTER,
    expect_manifest,
    predict_manifest_register,
)

__all__ = ["MANIFEST_REGISTER", "expect_manifest", "predict_manifest_register"]
