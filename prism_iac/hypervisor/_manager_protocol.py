"""The words of a manager that its clients act on.

Source: cocos-grpc.md sections 2.2, 6.4 and 6.5. A manager answers every error with the status UNKNOWN.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALREADY_ENDED", "HEALTH_SERVICE", "LIMIT_REACHED", "UNKNOWN_TO_REMOVE", "unknown_to_policy"]

HEALTH_SERVICE: Final = "manager"
LIMIT_REACHED: Final = "maximum number of VMs exceeded"
UNKNOWN_TO_REMOVE: Final = "entity not found"
ALREADY_ENDED: Final = (
    "waitid: no child processes",
    "failed to send SIGTERM: os: process already finished",
)
"""What Cocos' own says, after a restart, of a VM that it has told to end, or that has ended: it is no child of it.

Such a manager counts the VM, and has a policy for it, until its next start.
"""


def unknown_to_policy(vm_id: str) -> str:
    """What `AttestationPolicy` says of an id that the manager does not have: the one test of a VM's existence."""
    return f"computationId {vm_id} not found"
