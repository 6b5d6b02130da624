"""Managers on other machines: installed, started and stopped over SSH, by Pulumi's command provider.

Main entry: `RemoteHypervisor`, which `prism_iac` exports. What runs on the host are the files in `scripts/`. Needs the
extra `remote`, which is imported where it is used.
"""

from prism_iac.provider.remote._hypervisor import RemoteHypervisor, RemoteTlsArgs

__all__ = ["RemoteHypervisor", "RemoteTlsArgs"]
