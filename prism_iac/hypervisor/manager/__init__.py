"""A manager of our own: VMs of the local hypervisor behind the gRPC service of Cocos' manager.

Main entry: `serve`. It lets the way through a manager be taken on every machine; what its VMs prove is
simulated. The libraries of the server are imported by the process that serves.
"""

from prism_iac.hypervisor.manager._serve import serve
from prism_iac.hypervisor.manager._settings import ManagerSettings

__all__ = ["ManagerSettings", "serve"]
