"""VMs that QEMU runs on this machine: SEV-SNP and TDX guests, and plain ones. Main entry: `QemuHypervisor`."""

from prism_iac.hypervisor.qemu._hypervisor import QemuHypervisor

__all__ = ["QemuHypervisor"]
