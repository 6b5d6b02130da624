"""Which checks there are, and in which order they run."""

from __future__ import annotations

from typing import Final

from prism_iac.cli._checks import Check
from prism_iac.cli.doctor._certificates import check_certificates
from prism_iac.cli.doctor._disk import check_disk
from prism_iac.cli.doctor._folder import check_data_folder, check_ports
from prism_iac.cli.doctor._peer import check_backend, check_clock, check_credentials, check_workspace
from prism_iac.cli.doctor._programs import check_language_host, check_pulumi, check_python
from prism_iac.cli.doctor._token import check_token
from prism_iac.cli.doctor._versions import check_versions

__all__ = ["CHECKS"]

CHECKS: Final = {
    "python": Check(check_python),
    "pulumi": Check(check_pulumi),
    "language host": Check(check_language_host, needs="pulumi"),
    "data folder": Check(check_data_folder),
    "disk": Check(check_disk),
    "ports": Check(check_ports),
    "backend": Check(check_backend),
    "versions": Check(check_versions, needs="backend"),
    "clock": Check(check_clock, needs="backend"),
    "token": Check(check_token),
    "credentials": Check(check_credentials, needs="backend"),
    "workspace": Check(check_workspace, needs="credentials"),
    "certificates": Check(check_certificates, needs="workspace"),
}
"""Every check by its name; what a check needs stands before it."""
