"""The files of an attestation policy: where it is written, and which its launch names."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from prism_iac.model.stack import PolicyEntry

__all__ = ["LAUNCH_FILES", "policy_path"]

LAUNCH_FILES: Final = ("firmware", "kernel", "initrd")
"""The fields of a launch that name files."""


def policy_path(name: str, policy: PolicyEntry) -> PurePosixPath:
    """The file of a policy, relative to the project folder."""
    return PurePosixPath(policy.path or f".prism/policies/{name}.json")
