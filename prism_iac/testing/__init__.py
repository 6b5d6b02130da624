"""An evidence laboratory for unit tests of policies: SEV-SNP, TDX and TPM evidence with any field chosen.

Main entry: the fixture `evidence_lab`; a test suite says `pytest_plugins = ["prism_iac.testing"]`, or pytest is
started with `-p prism_iac.testing`. All that it makes says SIMULATED, so that no policy for hardware accepts
it. `prism_iac.testing.faults` spoils calls to Prism, and kills what takes part in an update at each of them.

Nothing of the package imports this room. The laboratory imports only `attestation`, `pki`, `model` and `errors`.
"""

from prism_iac.testing._certificates import Issuer
from prism_iac.testing._lab import EvidenceLab
from prism_iac.testing._plugin import evidence_lab
from prism_iac.testing._snp import SnpLab
from prism_iac.testing._tdx import TdxLab
from prism_iac.testing._tpm import Registers, TpmLab

__all__ = ["EvidenceLab", "Issuer", "Registers", "SnpLab", "TdxLab", "TpmLab", "evidence_lab"]
