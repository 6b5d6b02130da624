"""Policy files: JSON, CoRIM and signed CoRIM of one policy, how much one would notice, and what a change does.

Main entries: `PolicyFile`, `canonical_policy`, `measure_strength`, `compare_trust`. Imports of its siblings what policies mean
and what is checked, and of the package only `pki`, `model` and `errors`.
"""

from prism_iac.attestation._acceptance import WARNABLE, is_enforced
from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._cose import SignedMessage
from prism_iac.attestation.policy._file import PolicyFile, PolicyForm
from prism_iac.attestation.policy._from_quote import policy_from_quote
from prism_iac.attestation.policy._names import CorimNames
from prism_iac.attestation.policy._strength import Trial, measure_strength
from prism_iac.attestation.policy._trust import Trust, TrustChange, compare_trust

__all__ = [
    "WARNABLE",
    "CorimNames",
    "PolicyFile",
    "PolicyForm",
    "SignedMessage",
    "Trial",
    "Trust",
    "TrustChange",
    "canonical_policy",
    "compare_trust",
    "is_enforced",
    "measure_strength",
    "policy_from_quote",
]
