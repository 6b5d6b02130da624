"""Confidential computations as code: resources and a stack-file component for Pulumi programs.

Names are imported when they are first used, so that `import prism_iac` costs nothing.
"""

from __future__ import annotations

from prism_iac._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prism_iac.provider import (
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
        RemoteHypervisor,
        RemoteSourceArgs,
        RemoteTlsArgs,
        StackFile,
        SubjectArgs,
        VmLimitsArgs,
        native_face,
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
    "__version__",
    "native_face",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        found = globals()[name] = getattr(import_module("prism_iac.provider"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
