"""What can be wrong with a stack file whose shape is right: one module per subject.

Main entry: `CHECKS`. A check looks at a draft and yields findings; one that needs an entry which another
check or the shape has refused already stays silent about it. Reads the files that the stack names;
no network.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from prism_iac.errors import Finding
from prism_iac.spec._draft import Draft
from prism_iac.spec.checks._agent import check_agents
from prism_iac.spec.checks._asset import check_assets
from prism_iac.spec.checks._attestation_policy import check_policies
from prism_iac.spec.checks._certificates import check_certificates
from prism_iac.spec.checks._computation import check_computations
from prism_iac.spec.checks._name import check_names
from prism_iac.spec.checks._participant import check_participants
from prism_iac.spec.checks._promotion import check_promotion
from prism_iac.spec.checks._reference import check_references
from prism_iac.spec.checks._secret import check_secrets
from prism_iac.spec.checks._vm import check_vms

__all__ = ["CHECKS", "Check"]

Check: TypeAlias = Callable[[Draft], Iterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    check_names,
    check_references,
    check_secrets,
    check_participants,
    check_promotion,
    check_assets,
    check_certificates,
    check_policies,
    check_vms,
    check_agents,
    check_computations,
)
"""Every check; their order means nothing."""
