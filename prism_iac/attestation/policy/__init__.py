"""Policy files: JSON, CoRIM and signed CoRIM of one policy, and how much a policy would notice.

Main entries: `PolicyFile`, `canonical_policy`, `measure_strength`. Imports of its siblings what policies mean
and what is checked, and of the package only `pki`, `model` and `errors`.
"""

from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._cose import SignedMessage
from prism_iac.attestation.policy._file import PolicyFile, PolicyForm
from prism_iac.attestation.policy._from_quote import policy_from_quote
from prism_iac.attestation.policy._names import CorimNames
from prism_iac.attestation.policy._strength import Trial, measure_strength

__all__ = [
    "CorimNames",
    "PolicyFile",
    "PolicyForm",
    "SignedMessage",
    "Trial",
    "canonical_policy",
    "measure_strength",
    "policy_from_quote",
]
