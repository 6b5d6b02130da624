"""The faces that the Pulumi engine sees: dynamic resources, typed classes, the components.

Main entries: the resource classes, `StackFile` and `RemoteHypervisor`, which `prism_iac` exports. Turns property bags into
models and back; decides nothing. Must not know HTTP, SQL or the protocol of agents. What a program imports
stays light: the rooms below are imported where they are used.
"""

from prism_iac.provider._declare import native_face
from prism_iac.provider._stack_file import StackFile, computation_identity
from prism_iac.provider.remote import RemoteHypervisor, RemoteTlsArgs
from prism_iac.provider.resources import (
    AgentConfigArgs,
    ApprovalArgs,
    Asset,
    AttestationPolicy,
    BroughtFilesArgs,
    CertificateBundle,
    Computation,
    ComputationRun,
    ConfidentialVM,
    KeySpecArgs,
    ManagerTlsArgs,
    Participant,
    PolicyLaunchArgs,
    PublicKey,
    QemuArgs,
    RemoteSourceArgs,
    SubjectArgs,
    VmLimitsArgs,
)

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
    "RemoteHypervisor",
    "RemoteSourceArgs",
    "RemoteTlsArgs",
    "StackFile",
    "SubjectArgs",
    "VmLimitsArgs",
    "computation_identity",
    "native_face",
]
