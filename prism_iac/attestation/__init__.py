"""Evidence of SEV-SNP, policies for it, and the verifier that holds one against the other.

Main entries: `verify_report`, `PolicyDocument`, `SnpReport`, `SimulatedPlatform`. Time, nonces and identities
are passed in; no network, no environment; files only where a folder is passed in. Imports nothing of the
package but `pki`, `model` and `errors`.
"""

from prism_iac.attestation._check import Check, EvidenceRefused, Outcome
from prism_iac.attestation._collateral import Collateral
from prism_iac.attestation._policy_document import PolicyDocument
from prism_iac.attestation._policy_from_evidence import policy_from_evidence
from prism_iac.attestation._result import AttestationResult
from prism_iac.attestation._simulated import SimulatedPlatform
from prism_iac.attestation._simulated_guest import Launch, SimulatedGuest
from prism_iac.attestation._snp_policy import SnpPolicy
from prism_iac.attestation.snp._evidence import Endorser, Evidence
from prism_iac.attestation.snp._product import Product
from prism_iac.attestation.snp._report import SnpReport
from prism_iac.attestation.snp._tcb import Tcb
from prism_iac.attestation.snp._verify import SnpResult, verify_report
from prism_iac.attestation.tdx._body import TdReport
from prism_iac.attestation.tdx._quote import TdxQuote
from prism_iac.attestation.tdx._verify import TdxResult, verify_quote

__all__ = [
    "AttestationResult",
    "Check",
    "Collateral",
    "Endorser",
    "Evidence",
    "EvidenceRefused",
    "Launch",
    "Outcome",
    "PolicyDocument",
    "Product",
    "SimulatedGuest",
    "SimulatedPlatform",
    "SnpPolicy",
    "SnpReport",
    "SnpResult",
    "Tcb",
    "TdReport",
    "TdxQuote",
    "TdxResult",
    "policy_from_evidence",
    "verify_quote",
    "verify_report",
]
