"""The resource class of a confidential VM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import ConfidentialVMProvider

__all__ = ["ConfidentialVM", "ManagerTlsArgs", "QemuArgs", "VmLimitsArgs"]


class VmLimitsArgs(TypedDict, total=False):
    """What the processes of a VM of the local hypervisor may use."""

    memory_mib: Input[int]
    """Address space of each process, MiB."""
    processes: Input[int]
    """Processes and threads that an algorithm may add."""
    run_time: Input[str]
    """How long an algorithm may run, such as `1h`."""


class QemuArgs(TypedDict, total=False):
    """How a VM of the provider `qemu` is started; paths are relative to the project folder."""

    protection: Input[str]
    """`hardware` (the default): SEV-SNP or TDX, or no VM at all. `none`: a plain VM, for trying out."""
    evidence: Input[str]
    """`simulated` gives a plain VM evidence that this machine signs; `none` when left out."""
    acceleration: Input[str]
    """`on` demands KVM, `off` emulates the processor, `auto` (the default) uses KVM where it works."""
    binary: Input[str]
    """The program of QEMU, by name or path."""
    machine: Input[str]
    """QEMU's machine type; `q35` when left out."""
    cpu: Input[str]
    """QEMU's CPU model; `EPYC` when left out."""
    memory_mib: Input[int]
    """The memory of the guest, MiB; 2048 when left out."""
    kernel: Input[str]
    """The kernel to boot; that of the guest image when left out."""
    initrd: Input[str]
    """The initial ramdisk beside `kernel`."""
    cmdline: Input[str]
    """The kernel's command line."""
    firmware: Input[str]
    """OVMF; hardware needs it."""
    variables: Input[str]
    """OVMF's variables, when `firmware` is the code alone."""
    igvm: Input[str]
    """An IGVM file to start a SEV-SNP guest from."""
    disk: Input[str]
    """A disk image to boot from in place of a kernel."""
    disk_format: Input[str]
    """The format of `disk`; `qcow2` when left out."""
    ports: Input[str]
    """The ports of this machine that lead to agents; `6100-6200` when left out."""


class ManagerTlsArgs(TypedDict, total=False):
    """How the manager of a VM and the provider know each other; each file is its path, or the PEM text itself."""

    server_ca: Input[str]
    """The CA that verifies the manager's certificate."""
    client_certificate: Input[str]
    """The certificate to show to a manager that asks for one."""
    client_key: Input[str]
    """Its private key, kept as a secret; `prism:managerKey` of the configuration when left out."""


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
    expires_at: Output[str | None]
    """When the manager ends it, RFC 3339; `cocos` only."""
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
        qemu: Input[QemuArgs] | None = None,
        manager: Input[str] | None = None,
        manager_tls: Input[ManagerTlsArgs] | Input[Mapping[str, Input[object]]] | None = None,
        ttl: Input[str] | None = None,
        ready_timeout: Input[str] | None = None,
        policy: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a confidential VM.

        Args:
            resource_name: The logical name.
            provider: `local` (the default), `qemu`, `cocos`, `external`, `ultraviolet`, `azure` or `gcp`.
            platform: `sev-snp` (the default) or `tdx`.
            vcpus: The number of virtual processors; 2 when left out.
            name: The name; the logical name with a suffix of its own when left out.
            agent_log_level: How much the agent logs where a computation does not say; `info` when left out.
            limits: What its processes may use; `local` only.
            qemu: How it is started; `qemu` only.
            manager: The manager that makes it, `host:port`; `cocos` only.
            manager_tls: How it and the provider know each other; without it nothing is encrypted; `cocos` only.
            ttl: How long the manager lets it live; `24h` when left out; `cocos` only.
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
                "qemu": qemu,
                "manager": manager,
                "manager_tls": _with_secret_key(manager_tls),
                "ttl": ttl,
                "ready_timeout": ready_timeout,
                "policy": policy,
            },
            outputs=(
                "cvm_id",
                "agent_address",
                "expires_at",
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


def _with_secret_key(
    files: Input[Mapping[str, Input[object]]] | None,
) -> Input[Mapping[str, Input[object]]] | None:
    if isinstance(files, Mapping) and "client_key" in files:
        return {**files, "client_key": Output.secret(files["client_key"])}
    return files
