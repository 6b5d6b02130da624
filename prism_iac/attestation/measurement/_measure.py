"""From what decides a launch to its measurement."""

from __future__ import annotations

from prism_iac.attestation.measurement._launch import SevEsLaunch, SevLaunch, SnpLaunch, SvsmLaunch
from prism_iac.attestation.measurement._sev import measure_sev, measure_sev_es
from prism_iac.attestation.measurement._snp import measure_snp
from prism_iac.attestation.measurement._svsm import measure_svsm
from prism_iac.attestation.measurement._tdx import measure_tdx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prism_iac.attestation.measurement._launch import LaunchInputs
    from prism_iac.attestation.measurement._result import Measurement

__all__ = ["measure"]


def measure(launch: LaunchInputs) -> Measurement:
    """The measurement that a processor reports of a launch, and what went into it.

    The same inputs give the same measurement, byte for byte that of the tool `sev-snp-measure` for what both
    measure. The first of a firmware takes milliseconds, later ones with the same object much less.

    Source: attestation.md sections 1.1 and 4.6.

    Raises:
        InvalidInput: An input is impossible or malformed, or the firmware is none for such a launch.
    """
    if isinstance(launch, SnpLaunch):
        return measure_snp(launch)
    if isinstance(launch, SevEsLaunch):
        return measure_sev_es(launch)
    if isinstance(launch, SevLaunch):
        return measure_sev(launch)
    if isinstance(launch, SvsmLaunch):
        return measure_svsm(launch)
    return measure_tdx(launch)
