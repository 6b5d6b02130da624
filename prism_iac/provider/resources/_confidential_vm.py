"""The resource class of a confidential VM."""

from __future__ import annotations

from typing import TypedDict

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import ConfidentialVMProvider

__all__ = ["ConfidentialVM", "VmLimitsArgs"]


class VmLimitsArgs(TypedDict, total=False):
    """What the processes of a VM of the local hypervisor may use."""

    memory_mib: Input[int]
    """Address space of each process, MiB."""
    processes: Input[int]
    """Processes and threads that an algorithm may add."""
    run_time: Input[str]
    """How long an algorithm may run, such as `1h`."""


class ConfidentialVM(PrismResource, module="prism", name="ConfidentialVM"):
    """A confidential VM, awaited until its agent is ready for a manifest.

    Prism has no call that changes one, so every change replaces it.
    """

    workspace: Output[str]
    """The workspace that the VM is in."""
    name: Output[str]
    """The name."""
    provider: Output[str]
    """Who made it."""
    platform: Output[str]
    """`sev-snp` or `tdx`."""
    vcpus: Output[int]
    """The number of virtual processors."""
    cvm_id: Output[str]
    """The id of the machine instance."""
    agent_address: Output[str | None]
    """Where participants reach the agent, `host:port`."""
    status: Output[str]
    """Power and connection at the last read."""
    state: Output[str | None]
    """The agent's phase at the last read."""
    attestation_policy: Output[str | None]
    """The VM's attestation policy as JSON text, from when it was first online."""
    measurement: Output[str | None]
    """The launch measurement that its evidence showed at the last read, hexadecimal."""
    reported_tcb: Output[str | None]
    """The TCB that its evidence showed at the last read, part by part."""
    attestation: Output[str | None]
    """How fresh evidence met the policy at the last read: `accepted`, `refused` or `failed`, and why."""
    monthly_cost_estimate: Output[str | None]
    """An amount of money with its sign, where Prism knows one."""

    def __init__(
        self,
        resource_name: str,
        *,
        provider: Input[str] | None = None,
        platform: Input[str] | None = None,
        vcpus: Input[int] | None = None,
        name: Input[str] | None = None,
        agent_log_level: Input[str] | None = None,
        limits: Input[VmLimitsArgs] | None = None,
        ready_timeout: Input[str] | None = None,
        policy: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a confidential VM.

        Args:
            resource_name: The logical name.
            provider: `local` (the default), `external`, `ultraviolet`, `azure` or `gcp`.
            platform: `sev-snp` (the default) or `tdx`.
            vcpus: The number of virtual processors; 2 when left out.
            name: The name; the logical name with a suffix of its own when left out.
            agent_log_level: How much the agent logs where a computation does not say; `info` when left out.
            limits: What its processes may use; `local` only.
            ready_timeout: How long to wait for it; `15m` when left out.
            policy: What its evidence must meet, such as the `document` of an `AttestationPolicy`; the policy of its
                first evidence when left out.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            ConfidentialVMProvider(),
            resource_name,
            {
                "workspace": workspace,
                "name": name,
                "provider": provider,
                "platform": platform,
                "vcpus": vcpus,
                "agent_log_level": agent_log_level,
                "limits": limits,
                "ready_timeout": ready_timeout,
                "policy": policy,
            },
            outputs=(
                "cvm_id",
                "agent_address",
                "status",
                "state",
                "attestation_policy",
                "measurement",
                "reported_tcb",
                "attestation",
                "monthly_cost_estimate",
            ),
            deletes_first=True,
            opts=opts,
        )
