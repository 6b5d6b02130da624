"""The words of a manager that its clients act on.

Source: cocos-grpc.md sections 2.2, 6.4 and 6.5. A manager answers every error with the status UNKNOWN.
"""

from __future__ import annotations

from typing import Final

__all__ = ["HEALTH_SERVICE", "LIMIT_REACHED", "UNKNOWN_TO_REMOVE", "unknown_to_policy"]

HEALTH_SERVICE: Final = "manager"
LIMIT_REACHED: Final = "maximum number of VMs exceeded"
UNKNOWN_TO_REMOVE: Final = "entity not found"


def unknown_to_policy(vm_id: str) -> str:
    """What `AttestationPolicy` says of an id that the manager does not have: the one test of a VM's existence."""
    return f"computationId {vm_id} not found"
