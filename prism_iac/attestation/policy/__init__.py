"""Policy files: JSON, CoRIM and signed CoRIM of one policy, and how much a policy would notice.

Main entries: `PolicyFile`, `canonical_policy`. Imports of its siblings what policies mean, and of the package
only `pki`, `model` and `errors`.
"""

from prism_iac.attestation.policy._canonical import canonical_policy
from prism_iac.attestation.policy._cose import SignedMessage
from prism_iac.attestation.policy._file import PolicyFile, PolicyForm
from prism_iac.attestation.policy._names import CorimNames

__all__ = ["CorimNames", "PolicyFile", "PolicyForm", "SignedMessage", "canonical_policy"]
