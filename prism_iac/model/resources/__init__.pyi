# What the package offers; `__init__.py` reads the names from here.
from ._asset import Asset
from ._attestation_policy import (
    Approval,
    AttestationPolicy,
    PolicyLaunch,
    PolicySettings,
)
from ._base import ResourceModel
from ._certificate_bundle import (
    BroughtFiles,
    CertificateBundle,
    CertificateSettings,
    CertificateSource,
    IssuedParty,
    KeyAlgorithm,
    KeysOnRenewal,
    KeySpec,
    PermittedNames,
    ServerNames,
    Subject,
)
from ._computation import AgentConfig, Computation
from ._computation_run import ComputationRun, RunEvent
from ._confidential_vm import (
    DEFAULT_TTL,
    ConfidentialVM,
    ManagerTls,
    VmLimits,
    VmSettings,
    policy_without_evidence,
)
from ._kinds import KINDS
from ._participant import Participant
from ._public_key import PublicKey
from ._qemu import Acceleration, QemuEvidence, QemuProtection, QemuSettings

__all__ = [
    "DEFAULT_TTL",
    "KINDS",
    "Acceleration",
    "AgentConfig",
    "Approval",
    "Asset",
    "AttestationPolicy",
    "BroughtFiles",
    "CertificateBundle",
    "CertificateSettings",
    "CertificateSource",
    "Computation",
    "ComputationRun",
    "ConfidentialVM",
    "IssuedParty",
    "KeyAlgorithm",
    "KeySpec",
    "KeysOnRenewal",
    "ManagerTls",
    "Participant",
    "PermittedNames",
    "PolicyLaunch",
    "PolicySettings",
    "PublicKey",
    "QemuEvidence",
    "QemuProtection",
    "QemuSettings",
    "ResourceModel",
    "RunEvent",
    "ServerNames",
    "Subject",
    "VmLimits",
    "VmSettings",
    "policy_without_evidence",
]
