"""Every kind of resource."""

from typing import Final

from prism_iac.model.resources._asset import Asset
from prism_iac.model.resources._attestation_policy import AttestationPolicy
from prism_iac.model.resources._base import ResourceModel
from prism_iac.model.resources._certificate_bundle import CertificateBundle
from prism_iac.model.resources._computation import Computation
from prism_iac.model.resources._computation_run import ComputationRun
from prism_iac.model.resources._confidential_vm import ConfidentialVM
from prism_iac.model.resources._participant import Participant
from prism_iac.model.resources._public_key import PublicKey

__all__ = ["KINDS"]

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
