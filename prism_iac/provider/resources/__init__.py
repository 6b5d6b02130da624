"""The resource classes that programs use, one per kind.

Typed keyword arguments in, typed outputs out. Light: imports the Pulumi SDK and nothing of the rooms
below, so that a program starts fast.
"""

from prism_iac.provider.resources._asset import Asset, RemoteSourceArgs
from prism_iac.provider.resources._attestation_policy import (
    ApprovalArgs,
    AttestationPolicy,
    PolicyLaunchArgs,
)
from prism_iac.provider.resources._certificate_bundle import (
    BroughtFilesArgs,
    CertificateBundle,
    KeySpecArgs,
    SubjectArgs,
)
from prism_iac.provider.resources._computation import AgentConfigArgs, Computation
from prism_iac.provider.resources._computation_run import ComputationRun
from prism_iac.provider.resources._confidential_vm import (
    ConfidentialVM,
    ManagerTlsArgs,
    QemuArgs,
    VmLimitsArgs,
)
from prism_iac.provider.resources._participant import Participant
from prism_iac.provider.resources._public_key import PublicKey

__all__ = [
    "AgentConfigArgs",
    "ApprovalArgs",
    "Asset",
    "AttestationPolicy",
    "BroughtFilesArgs",
    "CertificateBundle",
    "Computation",
    "ComputationRun",
    "ConfidentialVM",
    "KeySpecArgs",
    "ManagerTlsArgs",
    "Participant",
    "PolicyLaunchArgs",
    "PublicKey",
    "QemuArgs",
    "RemoteSourceArgs",
    "SubjectArgs",
    "VmLimitsArgs",
]
