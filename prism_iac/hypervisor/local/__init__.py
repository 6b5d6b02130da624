"""VMs that are processes of this machine. Main entry: `LocalHypervisor`."""

from prism_iac.hypervisor.local._hypervisor import LocalHypervisor

__all__ = ["LocalHypervisor"]
