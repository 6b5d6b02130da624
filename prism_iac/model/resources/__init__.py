"""The resource kinds: one model each, with the change rule of every field.

Pure values; imports nothing above `model`.
"""

from typing import Final

from prism_iac.model.resources._asset import Asset
from prism_iac.model.resources._attestation_policy import (
    Approval,
    AttestationPolicy,
    PolicyLaunch,
    PolicySettings,
)
from prism_iac.model.resources._base import ResourceModel
from prism_iac.model.resources._certificate_bundle import (
    CertificateBundle,
    CertificateSettings,
    KeyAlgorithm,
    KeysOnRenewal,
    KeySpec,
    Subject,
)
from prism_iac.model.resources._computation import AgentConfig, Computation
from prism_iac.model.resources._computation_run import ComputationRun, RunEvent
from prism_iac.model.resources._confidential_vm import ConfidentialVM, VmLimits, VmSettings
from prism_iac.model.resources._participant import Participant
from prism_iac.model.resources._public_key import PublicKey

__all__ = [
    "KINDS",
    "AgentConfig",
    "Approval",
    "Asset",
    "AttestationPolicy",
    "CertificateBundle",
    "CertificateSettings",
    "Computation",
    "ComputationRun",
    "ConfidentialVM",
    "KeyAlgorithm",
    "KeySpec",
    "KeysOnRenewal",
    "Participant",
    "PolicyLaunch",
    "PolicySettings",
    "PublicKey",
    "ResourceModel",
    "RunEvent",
    "Subject",
    "VmLimits",
    "VmSettings",
]

KINDS: Final[dict[str, type[ResourceModel]]] = {
    model.kind: model
    for model in (
        Computation,
        Asset,
        Participant,
        PublicKey,
        ConfidentialVM,
        CertificateBundle,
        AttestationPolicy,
        ComputationRun,
    )
}
"""Every resource model by the name of its kind."""
