"""Finds or obtains a Pulumi CLI that can run Python programs, on any machine.

Main entries: `ensure_pulumi`, and `python -m prism_iac.toolchain`, which `make setup` runs. A CLI without
the official Python plugins gets ours (`_host/`, `_launchers.py`); they never stand before official ones.
Imports `errors` and the Pulumi SDK, and no other room; nothing of the SDK is imported with this package.
"""

from prism_iac.toolchain._ensure import PulumiUnavailable, ensure_pulumi, find_pulumi
from prism_iac.toolchain._project import prepare_project
from prism_iac.toolchain._pulumi import Pulumi
from prism_iac.toolchain._version import Version

__all__ = [
    "Pulumi",
    "PulumiUnavailable",
    "Version",
    "ensure_pulumi",
    "find_pulumi",
    "prepare_project",
]
