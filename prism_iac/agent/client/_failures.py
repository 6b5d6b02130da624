"""What a call to an agent may end with, and what the participant does then.

    Conflict
    └── AgentRefused           the call does not fit the computation
        ├── SignatureRefused   the key is not the registered one
        └── NotReady           too early, or too late
    RemoteFailure
    ├── AgentUnreachable       no connection, or it broke
    │   ├── AgentUnproven      its certificate is not the one that is asked for
    │   └── ConnectionBroke    in the middle of a call, which may begin again
    └── AgentFailed            the agent could not do its part
        └── ComputationFailed  the run ended without a result

Source: cocos-grpc.md section 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prism_iac._grpc import never_connected
from prism_iac.agent._protocol import Refusal, Role
from prism_iac.errors import Conflict, PrismError, RemoteFailure

if TYPE_CHECKING:
    import grpc

__all__ = [
    "WRONG_NAME",
    "AgentFailed",
    "AgentRefused",
    "AgentUnproven",
    "AgentUnreachable",
    "ComputationFailed",
    "ConnectionBroke",
    "NotReady",
    "SignatureRefused",
    "failure_of",
    "is_about_connection",
    "unreachable",
]

RESULT: Final = "Result"

_LONGEST_TEXT: Final = 500


class AgentRefused(Conflict):
    """The agent refused a call; nothing was changed by it.

    Attributes:
        code: The gRPC status, such as `UNKNOWN`.
        agent_text: The agent's own words.
    """

    def __init__(self, message: str, *, code: str, agent_text: str, where: str, next_step: str) -> None:
        super().__init__(message, where=where, next_step=next_step)
        self.code = code
        self.agent_text = agent_text


class SignatureRefused(AgentRefused):
    """The agent knows no such key in the role of the call."""


class NotReady(AgentRefused):
    """The computation is in a phase that does not take the call."""


class AgentUnreachable(RemoteFailure):
    """There is no connection to the agent, or it broke before the answer; attributes as in `AgentRefused`."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        agent_text: str,
        where: str,
        next_step: str,
        retry_is_safe: bool = True,
    ) -> None:
        super().__init__(message, where=where, next_step=next_step, retry_is_safe=retry_is_safe)
        self.code = code
        self.agent_text = agent_text


class AgentUnproven(AgentUnreachable):
    """What answers at the agent's address has not proven to be the agent."""


class ConnectionBroke(AgentUnreachable):
    """There was a connection, and it broke before the agent had answered."""


class AgentFailed(RemoteFailure):
    """The agent took the call and could not answer it; attributes as in `AgentRefused`."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        agent_text: str,
        where: str,
        next_step: str,
        retry_is_safe: bool = False,
    ) -> None:
        super().__init__(message, where=where, next_step=next_step, retry_is_safe=retry_is_safe)
        self.code = code
        self.agent_text = agent_text


class ComputationFailed(AgentFailed):
    """The run ended without a result; `agent_text` says how."""


_REFUSALS: Final[tuple[tuple[Refusal, type[AgentRefused], str], ...]] = (
    (
        Refusal.BAD_SIGNATURE,
        SignatureRefused,
        "Use the private key that is registered for the {role}; a later one counts from the next run on.",
    ),
    (Refusal.BAD_METADATA, SignatureRefused, "Give the private key of the {role}."),
    (
        Refusal.NOT_EXPECTED,
        NotReady,
        "The algorithm comes first, then the data, each once: look at the computation's events.",
    ),
    (Refusal.NOT_READY, NotReady, "Wait until the computation's events say that results are ready."),
    (
        Refusal.HASH_DIFFERS,
        AgentRefused,
        "Upload the very file whose SHA3-256 is the asset's checksum, or register the asset anew.",
    ),
    (
        Refusal.DATASET_UNDECLARED,
        AgentRefused,
        "Upload it under the asset's file name; each dataset is taken once.",
    ),
    (
        Refusal.UPLOAD_TOO_LARGE,
        AgentRefused,
        "Send less, or raise AGENT_LIMIT_UPLOAD_MIB and AGENT_LIMIT_DATA_MIB in the agent's environment.",
    ),
    (Refusal.UPLOAD_STALLED, AgentRefused, "Repeat the upload: nothing of it was kept."),
    (Refusal.DATASET_NOT_UNPACKED, AgentRefused, "Upload a plain zip file, or upload without unpacking."),
    (Refusal.ALGORITHM_EMPTY, AgentRefused, "Upload a file that is not empty."),
    (Refusal.DATASET_EMPTY, AgentRefused, "Upload a file that is not empty."),
    (Refusal.TEE_NONCE_TOO_LONG, AgentRefused, "Use a nonce of at most 64 bytes."),
    (Refusal.TEE_NONCE_COULD_BE_A_BINDING, AgentRefused, "Use a nonce of at most 32 bytes."),
    (Refusal.VTPM_NONCE_TOO_LONG, AgentRefused, "Use a nonce of at most 32 bytes."),
    (Refusal.BAD_EVIDENCE_TYPE, AgentRefused, "Ask for the type of the VM's platform."),
    (Refusal.NO_EVIDENCE, AgentRefused, "Ask for the type of the VM's platform."),
)
"""How the agent's texts begin, what they are, and what to do."""

WRONG_NAME: Final = "Hostname Verification Check failed"

_UNTRUSTED: Final = (
    "the agent's certificate is not from the given CA, or is not valid now",
    "Use the server CA of the computation's certificate bundle.",
)

_UNPROVEN: Final = {
    "CERTIFICATE_VERIFY_FAILED": _UNTRUSTED,
    "certificate verify failed": _UNTRUSTED,
    WRONG_NAME: (
        "the agent's certificate is for other names and addresses",
        "Declare this address in the certificate bundle's dns_names or ip_addresses, or use a declared one.",
    ),
}
"""What gRPC or OpenSSL says of a certificate that does not prove the agent, what that means, and what to do."""


def failure_of(error: grpc.RpcError, *, address: str, call: str, role: Role | None = None) -> PrismError:
    """The error that a failed call means.

    Args:
        error: What gRPC raised.
        address: The agent's.
        call: The method's name.
        role: What the caller signed, if anything.
    """
    import grpc

    status = error.code()
    text = (error.details() or "")[:_LONGEST_TEXT]
    where = f"{address} {call}"
    if is_about_connection(error):
        return unreachable(status.name, text, where)
    for refusal, kind, next_step in _REFUSALS:
        if text.startswith(refusal):
            return kind(
                f"the agent refused the call: {text}",
                code=status.name,
                agent_text=text,
                where=where,
                next_step=next_step.format(role=role or "participant"),
            )
    if call == RESULT and status is grpc.StatusCode.UNKNOWN:
        return ComputationFailed(
            f"the computation failed: {text}",
            code=status.name,
            agent_text=text,
            where=where,
            next_step="Correct the algorithm or its data and run the computation again.",
        )
    return AgentFailed(
        f"the agent answered {status.name}: {text}",
        code=status.name,
        agent_text=text,
        where=where,
        next_step="Look at the agent's log in the computation's logs.",
    )


def is_about_connection(error: grpc.RpcError) -> bool:
    """Whether a call failed because there was no connection, or it broke."""
    import grpc

    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def unreachable(code: str, text: str, where: str) -> AgentUnreachable:
    """The error that a broken or missing connection means.

    Args:
        code: The gRPC status.
        text: What gRPC or OpenSSL says of it.
        where: The agent's address, and the call if there is one.
    """
    for words, (message, next_step) in _UNPROVEN.items():
        if words in text:
            return AgentUnproven(
                f"{message} ({text})",
                code=code,
                agent_text=text,
                where=where,
                next_step=next_step,
                retry_is_safe=False,
            )
    kind: type[AgentUnreachable] = ConnectionBroke
    message = "the connection to the agent broke before it answered"
    next_step = "Repeat the call: a broken upload leaves nothing behind."
    if never_connected(text):
        kind = AgentUnreachable
        message = "the agent cannot be reached"
        next_step = (
            "The agent opens its port when the run has begun. Check the address, that the run has begun, "
            "and that the TLS mode is that of the computation."
        )
    return kind(
        f"{message} ({text})" if text else message,
        code=code,
        agent_text=text,
        where=where,
        next_step=next_step,
    )
