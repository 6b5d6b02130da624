"""Evidence of confidential VMs, policies for it, and the verifier that holds one against the other.

Main entries: `verify_evidence`, `VmEvidence`, `PolicyDocument`, `SimulatedPlatform`. Time, nonces and identities
are passed in; no network, no environment; files only where a folder is passed in. Imports no other
room but `pki`, `model` and `errors`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from prism_iac.attestation._check import Check, EvidenceRefused, Outcome
    from prism_iac.attestation._collateral import Collateral
    from prism_iac.attestation._facts import Facts, facts_of
    from prism_iac.attestation._nonce import Nonce
    from prism_iac.attestation._policy_document import PolicyDocument
    from prism_iac.attestation._policy_from_evidence import policy_from_evidence
    from prism_iac.attestation._result import AttestationResult
    from prism_iac.attestation._simulated import SimulatedPlatform
    from prism_iac.attestation._simulated_guest import Launch, SimulatedGuest
    from prism_iac.attestation._snp_policy import SnpPolicy
    from prism_iac.attestation._token import Platform, Token
    from prism_iac.attestation._verify import verify_evidence
    from prism_iac.attestation._vm_evidence import VmEvidence
    from prism_iac.attestation.measurement import (
        EC2,
        GCE,
        KRUN,
        QEMU,
        VCPU_TYPES,
        VMMS,
        Firmware,
        KernelHashes,
        LaunchInputs,
        Measurement,
        Part,
        SevEsLaunch,
        SevLaunch,
        SnpLaunch,
        SvsmLaunch,
        TdxLaunch,
        Vmm,
        measure,
        vcpu_signature,
    )
    from prism_iac.attestation.snp._evidence import Endorser, Evidence
    from prism_iac.attestation.snp._product import Product
    from prism_iac.attestation.snp._report import SnpReport
    from prism_iac.attestation.snp._tcb import Tcb
    from prism_iac.attestation.snp._verify import SnpResult, verify_report
    from prism_iac.attestation.tdx._body import TdReport
    from prism_iac.attestation.tdx._quote import TdxQuote
    from prism_iac.attestation.tdx._verify import TdxResult, verify_quote
    from prism_iac.attestation.tpm._evidence import TpmEvidence, TpmQuote

__all__ = [
    "EC2",
    "GCE",
    "KRUN",
    "QEMU",
    "VCPU_TYPES",
    "VMMS",
    "AttestationResult",
    "Check",
    "Collateral",
    "Endorser",
    "Evidence",
    "EvidenceRefused",
    "Facts",
    "Firmware",
    "KernelHashes",
    "Launch",
    "LaunchInputs",
    "Measurement",
    "Nonce",
    "Outcome",
    "Part",
    "Platform",
    "PolicyDocument",
    "Product",
    "SevEsLaunch",
    "SevLaunch",
    "SimulatedGuest",
    "SimulatedPlatform",
    "SnpLaunch",
    "SnpPolicy",
    "SnpReport",
    "SnpResult",
    "SvsmLaunch",
    "Tcb",
    "TdReport",
    "TdxLaunch",
    "TdxQuote",
    "TdxResult",
    "Token",
    "TpmEvidence",
    "TpmQuote",
    "VmEvidence",
    "Vmm",
    "facts_of",
    "measure",
    "policy_from_evidence",
    "vcpu_signature",
    "verify_evidence",
    "verify_quote",
    "verify_report",
]

_HOMES: Final = {
    "_check": (
        "Check",
        "EvidenceRefused",
        "Outcome",
    ),
    "_collateral": ("Collateral",),
    "_facts": (
        "Facts",
        "facts_of",
    ),
    "_nonce": ("Nonce",),
    "_policy_document": ("PolicyDocument",),
    "_policy_from_evidence": ("policy_from_evidence",),
    "_result": ("AttestationResult",),
    "_simulated": ("SimulatedPlatform",),
    "_simulated_guest": (
        "Launch",
        "SimulatedGuest",
    ),
    "_snp_policy": ("SnpPolicy",),
    "_token": (
        "Platform",
        "Token",
    ),
    "_verify": ("verify_evidence",),
    "_vm_evidence": ("VmEvidence",),
    "measurement": (
        "EC2",
        "GCE",
        "KRUN",
        "QEMU",
        "VCPU_TYPES",
        "VMMS",
        "Firmware",
        "KernelHashes",
        "LaunchInputs",
        "Measurement",
        "Part",
        "SevEsLaunch",
        "SevLaunch",
        "SnpLaunch",
        "SvsmLaunch",
        "TdxLaunch",
        "Vmm",
        "measure",
        "vcpu_signature",
    ),
    "snp._evidence": (
        "Endorser",
        "Evidence",
    ),
    "snp._product": ("Product",),
    "snp._report": ("SnpReport",),
    "snp._tcb": ("Tcb",),
    "snp._verify": (
        "SnpResult",
        "verify_report",
    ),
    "tdx._body": ("TdReport",),
    "tdx._quote": ("TdxQuote",),
    "tdx._verify": (
        "TdxResult",
        "verify_quote",
    ),
    "tpm._evidence": (
        "TpmEvidence",
        "TpmQuote",
    ),
}
"""Where each name is at home: it is imported when it is first used, so that what measures a launch need not
wait for what verifies evidence."""

_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
