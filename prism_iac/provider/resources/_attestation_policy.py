"""The resource class of an attestation policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PRODUCTION, PrismResource
from prism_iac.provider.dynamic import AttestationPolicyProvider

__all__ = ["ApprovalArgs", "AttestationPolicy", "PolicyLaunchArgs"]


class PolicyLaunchArgs(TypedDict, total=False):
    """What a VM is launched from, which decides its launch measurement; files are relative to the project."""

    firmware: Required[Input[str]]
    """The file of the firmware image."""
    kernel: Input[str]
    """The file of the kernel, when the hypervisor gives the VM one."""
    initrd: Input[str]
    """The file of the initial ramdisk."""
    cmdline: Input[str]
    """The kernel's command line, to the character."""
    vcpus: Input[int]
    """The number of virtual processors; SEV-SNP needs it."""
    vcpu_type: Input[str]
    """Their type, such as `EPYC-v4`; QEMU needs it."""
    vmm_type: Input[str]
    """The hypervisor: `QEMU` (the default), `ec2`, `gce` or `krun`."""
    guest_features: Input[int]
    """SEV_FEATURES of the guest; 1 when left out."""


class ApprovalArgs(TypedDict):
    """That somebody allows a policy to get looser."""

    change: Input[str]
    """The field that may get looser, as the refusal names it, such as `minimum_tcb`."""
    by: Input[str]
    """Who allows it."""
    reason: Input[str]
    """Why."""
    until: Input[str]
    """The last day, UTC, on which the change may be made, such as `2027-01-31`."""


class AttestationPolicy(PrismResource, module="prism", name="AttestationPolicy"):
    """The policy file that participants hold an agent's evidence against.

    Downloaded from a VM or declared; written to `path`. A file that is gone or was edited is written again. Where
    the launch is declared, a preview shows its measurement, and which of its inputs changed it.
    """

    workspace: Output[str | None]
    """The workspace that the VM is in."""
    path: Output[str]
    """The file."""
    vm: Output[str | None]
    """The id of the VM that it comes from."""
    measurement: Output[str | None]
    """The launch measurement that is declared or computed, hexadecimal."""
    launch_digests: Output[dict[str, str] | None]
    """SHA-256 of what the launch was measured from."""
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
        reference_values: Input[str] | None = None,
        signed_by: Input[str] | None = None,
        manifest: Input[str] | None = None,
        launch: Input[PolicyLaunchArgs] | None = None,
        launch_digests: Input[Mapping[str, Input[str]]] | None = None,
        measurement: Input[str] | None = None,
        accept: Input[Sequence[Input[str]]] | None = None,
        minimum_tcb: Input[Mapping[str, Input[int]]] | None = None,
        warn: Input[Mapping[str, Input[str]]] | None = None,
        approvals: Input[Sequence[Input[ApprovalArgs]]] | None = None,
        requires_approval: Input[bool] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare an attestation policy; give `vm`, `expectations` or `reference_values`, and what refines them.

        Args:
            resource_name: The logical name.
            path: The file to write, relative to the project folder.
            vm: The id of the VM to download the policy from.
            expectations: The policy document itself, with the keys of the policy file.
            reference_values: A signed policy file to take the expectations from.
            signed_by: The public key, PEM, that `reference_values` must be signed by.
            manifest: The manifest, canonical JSON, that PCR 16 of a TPM must show.
            launch: What the VM is launched from; the measurement is computed from it.
            launch_digests: What the hashes of `launch` must be; computed when left out.
            measurement: The launch measurement; beside `launch`, what it must compute.
            accept: Other launch measurements that are as good, for a change-over.
            minimum_tcb: The least TCB by part: `boot_loader`, `tee`, `snp`, `microcode`, `fmc`.
            warn: Fields that only warn, and the last day on which they do.
            approvals: Who allows which field to get looser.
            requires_approval: Whether a looser policy needs an approval; true in a stack named `prod`.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        if requires_approval is None and pulumi.get_stack() == PRODUCTION:
            requires_approval = True
        super().__init__(
            AttestationPolicyProvider(),
            resource_name,
            {
                "workspace": workspace,
                "path": path,
                "vm": vm,
                "expectations": expectations,
                "reference_values": reference_values,
                "signed_by": signed_by,
                "manifest": manifest,
                "launch": launch,
                "launch_digests": launch_digests,
                "measurement": measurement,
                "accept": accept,
                "minimum_tcb": minimum_tcb,
                "warn": warn,
                "approvals": approvals,
                "requires_approval": requires_approval,
            },
            outputs=("document", "sha3_256"),
            opts=opts,
        )
