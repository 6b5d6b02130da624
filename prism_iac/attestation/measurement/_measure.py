"""From what decides a launch to its measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from prism_iac.attestation.measurement._launch import LaunchInputs, LaunchMode
from prism_iac.attestation.measurement._refusal import refusal
from prism_iac.attestation.measurement._result import Measurement
from prism_iac.attestation.measurement._sev import measure_sev, measure_sev_es
from prism_iac.attestation.measurement._snp import measure_ovmf_hash, measure_snp, measure_svsm
from prism_iac.attestation.measurement._tdx import measure_tdx

__all__ = ["measure"]

_MEASURES: Final[Mapping[LaunchMode, Callable[[LaunchInputs], Measurement]]] = {
    LaunchMode.SEV: measure_sev,
    LaunchMode.SEV_ES: measure_sev_es,
    LaunchMode.SNP: measure_snp,
    LaunchMode.SNP_OVMF_HASH: measure_ovmf_hash,
    LaunchMode.SNP_SVSM: measure_svsm,
    LaunchMode.TDX: measure_tdx,
}

_WITHOUT_KERNEL: Final = (LaunchMode.SNP_SVSM, LaunchMode.TDX)


def measure(inputs: LaunchInputs) -> Measurement:
    """The measurement that a processor reports of a launch, and what went into it.

    The same inputs give the same measurement, byte for byte that of the tool `sev-snp-measure` for what both
    measure. The first of a firmware takes milliseconds, later ones with the same object much less.

    Source: attestation.md sections 1.1 and 4.6.

    Raises:
        InvalidInput: An input is missing, malformed, or given to a mode that does not measure it.
    """
    mode = inputs.mode
    unmeasured = (
        ("kernel", inputs.kernel is not None and mode in _WITHOUT_KERNEL),
        ("snp-ovmf-hash", inputs.firmware_hash is not None and mode is not LaunchMode.SNP),
        ("svsm", inputs.svsm is not None and mode is not LaunchMode.SNP_SVSM),
    )
    for name, is_given in unmeasured:
        if is_given:
            raise refusal(name, f"is not measured in the mode {mode}", "Leave it out, or change the mode.")
    return _MEASURES[mode](inputs)
