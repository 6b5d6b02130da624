"""Stack files: loaded with line numbers, extended, their references resolved, and validated.

Main entries: `load_stack` and `validate_stack`. What a stack file may say is `prism_iac.model.stack`; what
can be wrong with one is `checks/`. Reads files; no network, no backend. Imports nothing above `pki`.
"""

from prism_iac.spec._explain import Origin, Setting, composed, explain
from prism_iac.spec._load import load_stack, validate_stack
from prism_iac.spec._stack import (
    Stack,
    StackAgent,
    StackAlgorithm,
    StackAsset,
    StackCertificates,
    StackComputation,
    StackGrant,
    StackParticipant,
    StackPolicy,
    StackPromotion,
    StackVm,
)
from prism_iac.spec._tree import Place

__all__ = [
    "Origin",
    "Place",
    "Setting",
    "Stack",
    "StackAgent",
    "StackAlgorithm",
    "StackAsset",
    "StackCertificates",
    "StackComputation",
    "StackGrant",
    "StackParticipant",
    "StackPolicy",
    "StackPromotion",
    "StackVm",
    "composed",
    "explain",
    "load_stack",
    "validate_stack",
]
