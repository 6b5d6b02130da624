"""Where an attestation policy is written."""

from __future__ import annotations

from pathlib import PurePosixPath

from prism_iac.model.stack import PolicyEntry

__all__ = ["policy_path"]


def policy_path(name: str, policy: PolicyEntry) -> PurePosixPath:
    """The file of a policy, relative to the project folder."""
    return PurePosixPath(policy.path or f".prism/policies/{name}.json")
