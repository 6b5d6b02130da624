"""VMs that a manager of Cocos makes. Main entry: `CocosManager`.

It is no `Hypervisor`: a manager chooses the id of a VM itself, lists none and finds none by what it was made
for. Who makes a VM here keeps its id, and lets the manager end what nobody keeps (`ttl`).
"""

from prism_iac.hypervisor.cocos._access import ManagerAccess, read_access
from prism_iac.hypervisor.cocos._failures import ManagerFailed, ManagerRefused, ManagerUnreachable, ReplyLost
from prism_iac.hypervisor.cocos._manager import CocosManager, Machine

__all__ = [
    "CocosManager",
    "Machine",
    "ManagerAccess",
    "ManagerFailed",
    "ManagerRefused",
    "ManagerUnreachable",
    "ReplyLost",
    "read_access",
]
