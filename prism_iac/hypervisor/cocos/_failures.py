"""What a call to a manager may end with.

Conflict
└── ManagerRefused          it says no, and nothing was made
RemoteFailure
├── ManagerUnreachable      the call never reached it
├── ReplyLost               the call may have reached it, and its answer never came
└── ManagerFailed           what answers is no manager, or does not let this client in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prism_iac._grpc import never_connected
from prism_iac.errors import Conflict, PrismError, RemoteFailure
from prism_iac.hypervisor._manager_protocol import LIMIT_REACHED

if TYPE_CHECKING:
    import grpc

__all__ = ["ManagerFailed", "ManagerRefused", "ManagerUnreachable", "ReplyLost", "failure_of"]

_LONGEST_TEXT: Final = 500


class ManagerRefused(Conflict):
    """The manager says no; `text` has its own words."""

    def __init__(self, text: str, *, where: str) -> None:
        is_full = text == LIMIT_REACHED
        super().__init__(
            f"the manager refused: {text}",
            where=where,
            next_step="Remove VMs that are not needed, wait for the end of a lost one, or raise the manager's limit."
            if is_full
            else "Look at the manager's log.",
        )
        self.text = text


class ManagerUnreachable(RemoteFailure):
    """There was no connection to the manager, so nothing happened there."""


class ReplyLost(RemoteFailure):
    """The connection broke, or took too long, before the manager answered."""


class ManagerFailed(RemoteFailure):
    """The answer is none of a manager's."""


def failure_of(error: grpc.RpcError, *, where: str) -> PrismError:
    """The error that a failed call means.

    Args:
        error: What gRPC raised.
        where: The manager's address and the call.
    """
    import grpc

    status = error.code()
    text = (error.details() or "")[:_LONGEST_TEXT]
    if status is grpc.StatusCode.UNKNOWN:
        return ManagerRefused(text, where=where)
    if status is grpc.StatusCode.UNAVAILABLE and never_connected(text):
        return ManagerUnreachable(
            f"the manager cannot be reached ({text})",
            where=where,
            next_step="Check that it runs, its address, and that `manager_tls` has the files of its TLS mode.",
            retry_is_safe=True,
        )
    if status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return ReplyLost(
            f"the manager did not answer ({text})" if text else "the manager did not answer",
            where=where,
            next_step="Look at the manager and the network, and run this again.",
        )
    return ManagerFailed(
        f"the answer is none of a manager's: {status.name}: {text}",
        where=where,
        next_step="Check the address.",
    )
