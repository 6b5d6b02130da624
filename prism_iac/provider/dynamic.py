"""The provider classes that state refers to.

State names this module and these classes; refresh and destroy run whatever it names. Neither may ever be
renamed or moved.
"""

from __future__ import annotations

from prism_iac.provider._face import Face

__all__ = [
    "AssetProvider",
    "AttestationPolicyProvider",
    "CertificateBundleProvider",
    "ComputationProvider",
    "ComputationRunProvider",
    "ConfidentialVMProvider",
    "ParticipantProvider",
    "PublicKeyProvider",
]


class ComputationProvider(Face):
    """Serves `Computation`."""

    kind = "Computation"


class AssetProvider(Face):
    """Serves `Asset`."""

    kind = "Asset"


class ParticipantProvider(Face):
    """Serves `Participant`."""

    kind = "Participant"


class PublicKeyProvider(Face):
    """Serves `PublicKey`."""

    kind = "PublicKey"


class ConfidentialVMProvider(Face):
    """Serves `ConfidentialVM`."""

    kind = "ConfidentialVM"


class CertificateBundleProvider(Face):
    """Serves `CertificateBundle`."""

    kind = "CertificateBundle"


class AttestationPolicyProvider(Face):
    """Serves `AttestationPolicy`."""

    kind = "AttestationPolicy"


class ComputationRunProvider(Face):
    """Serves `ComputationRun`."""

    kind = "ComputationRun"
