"""Which checks there are, and in which order they run."""

from __future__ import annotations

from typing import Final

from prism_iac.cli._checks import Check
from prism_iac.cli.diagnose._connection import check_agent, check_evidence
from prism_iac.cli.diagnose._files import check_files
from prism_iac.cli.diagnose._participants import check_assets, check_keys, check_roles
from prism_iac.cli.diagnose._run import check_checksums, check_last_run, check_uploads
from prism_iac.cli.diagnose._vm import check_vm

__all__ = ["CHECKS"]

CHECKS: Final = {
    "roles": Check(check_roles),
    "assets": Check(check_assets),
    "keys": Check(check_keys),
    "TLS files": Check(check_files),
    "VM": Check(check_vm),
    "agent": Check(check_agent, needs="VM"),
    "evidence": Check(check_evidence, needs="agent"),
    "uploads": Check(check_uploads, needs="VM"),
    "checksums": Check(check_checksums),
    "last run": Check(check_last_run),
}
"""Every check by its name; what a check needs stands before it."""
