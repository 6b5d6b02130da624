"""The resource class of an attestation policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import AttestationPolicyProvider

__all__ = ["AttestationPolicy"]


class AttestationPolicy(PrismResource, module="prism", name="AttestationPolicy"):
    """The policy file that participants hold an agent's evidence against.

    Downloaded from a VM or declared; written to `path`. A file that is gone or was edited is written again.
    """

    workspace: Output[str | None]
    """The workspace that the VM is in."""
    path: Output[str]
    """The file."""
    vm: Output[str | None]
    """The id of the VM that it comes from."""
    document: Output[str]
    """The file's text."""
    sha3_256: Output[str]
    """SHA3-256 of the file's bytes."""

    def __init__(
        self,
        resource_name: str,
        *,
        path: Input[str],
        vm: Input[str] | None = None,
        expectations: Input[Mapping[str, Any]] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare an attestation policy; give either `vm` or `expectations`.

        Args:
            resource_name: The logical name.
            path: The file to write, relative to the project folder.
            vm: The id of the VM to download the policy from.
            expectations: The policy document itself, with the keys of the policy file.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            AttestationPolicyProvider(),
            resource_name,
            {"workspace": workspace, "path": path, "vm": vm, "expectations": expectations},
            outputs=("document", "sha3_256"),
            opts=opts,
        )
