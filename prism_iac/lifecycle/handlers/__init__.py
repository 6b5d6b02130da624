"""One handler per resource kind."""

from typing import Any, Final

from prism_iac.lifecycle._handler import Handler
from prism_iac.lifecycle.handlers._asset import AssetHandler
from prism_iac.lifecycle.handlers._attestation_policy import AttestationPolicyHandler
from prism_iac.lifecycle.handlers._certificate_bundle import CertificateBundleHandler
from prism_iac.lifecycle.handlers._computation import ComputationHandler
from prism_iac.lifecycle.handlers._computation_run import ComputationRunHandler
from prism_iac.lifecycle.handlers._confidential_vm import ConfidentialVMHandler
from prism_iac.lifecycle.handlers._participant import ParticipantHandler
from prism_iac.lifecycle.handlers._public_key import PublicKeyHandler

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[str, Handler[Any]]] = {
    handler.model.kind: handler
    for handler in (
        ComputationHandler(),
        AssetHandler(),
        ParticipantHandler(),
        PublicKeyHandler(),
        ConfidentialVMHandler(),
        CertificateBundleHandler(),
        AttestationPolicyHandler(),
        ComputationRunHandler(),
    )
}
"""Every handler by the name of its kind."""
