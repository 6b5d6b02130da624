"""The machine behind a VM whose provider is a manager of Cocos.

A manager neither lists VMs nor lets anybody prolong one, and its answer to a create may be lost. So:

- Each create has a certificate of its own, and the earlier ones of the VM are revoked before it: a machine that
  nobody knows cannot be taken for the VM, and its agent is refused by Prism.
- Each machine has a time to live, so that one that nobody knows ends.
- An agent tells Prism which machine it is in. What Prism knows so and the state does not is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from prism_iac.errors import Conflict
from prism_iac.lifecycle._context import Context, poll
from prism_iac.lifecycle.handlers._vm_spec import spec_of
from prism_iac.model import AgentState, VmStatus, parse_duration
from prism_iac.model.resources import DEFAULT_TTL, ConfidentialVM

if TYPE_CHECKING:
    from prism_iac.hypervisor.cocos import CocosManager
    from prism_iac.prism import CvmRecord

__all__ = ["ensure_machine", "is_there", "remove_machines", "why_renewed"]

_AWAY_WITHIN: Final = "2m"

_BUSY: Final = frozenset(
    {
        AgentState.RECEIVING_ALGORITHM,
        AgentState.RECEIVING_DATA,
        AgentState.RUNNING,
        AgentState.CONSUMING_RESULTS,
    }
)
"""The phases of an agent with a computation, which the end of its machine would fail."""


def ensure_machine(record: CvmRecord, desired: ConfidentialVM, context: Context) -> ConfidentialVM:
    """The VM with a machine that runs, and is not due to be made anew.

    Args:
        record: The VM at Prism.
        desired: What it is to be; its outputs tell of the machine that it had.
        context: The surroundings.

    Raises:
        ReplyLost: The manager may have made a machine; the message says until when it may exist.
        PrismError: There is no manager to ask, or it makes none.
    """
    with _manager(desired, context) as manager:
        is_known = desired.cvm_id is not None and manager.exists(desired.cvm_id)
        if is_known and (due := why_renewed(desired, context.now())):
            if record.state in _BUSY:
                context.report(f"{due}: it is made anew by an update after its run")
                return desired
            is_known = False
        if is_known:
            return desired
        manager.require(vcpus=desired.vcpus)
        _remove(manager, desired, record)
        _revoke_certificates(record, desired, context)
        return _make(manager, record, desired, context)


def is_there(state: ConfidentialVM, context: Context) -> bool:
    """Whether the machine exists; a manager that does not answer is an error."""
    if state.cvm_id is None:
        return False
    with _manager(state, context) as manager:
        return manager.exists(state.cvm_id)


def remove_machines(state: ConfidentialVM, record: CvmRecord | None, context: Context) -> None:
    """End the machine, and the one that Prism knows where that is another."""
    with _manager(state, context) as manager:
        _remove(manager, state, record)


def why_renewed(state: ConfidentialVM, now: datetime) -> str | None:
    """Why a machine is to be made: there is none, or the last quarter of its time to live has begun."""
    if state.cvm_id is None or state.expires_at is None:
        return "no machine runs for the VM"
    end = datetime.fromisoformat(state.expires_at)
    if now < end - _ttl(state) / 4:
        return None
    return f"the VM's time to live ends at {end:%Y-%m-%d %H:%M} UTC"


def _make(
    manager: CocosManager, record: CvmRecord, desired: ConfidentialVM, context: Context
) -> ConfidentialVM:
    from prism_iac.hypervisor.cocos import ReplyLost

    certificates = context.session.workspace(desired.workspace).certificates
    files = certificates.fetch(record.id, certificates.issue(record.id))
    spec = spec_of(record, desired, files, context)
    end = context.now() + _ttl(desired)
    try:
        machine = manager.create(spec, ttl=_ttl(desired))
    except ReplyLost as lost:
        latest = context.now() + _ttl(desired)
        raise ReplyLost(
            f"{lost.message}: it may have made a VM, which then ends by itself until {latest:%Y-%m-%d %H:%M} UTC",
            where=lost.where,
            next_step="Run the update again: it makes another one, and Prism lets the lost one in no more.",
        ) from lost
    return desired.with_(
        cvm_id=machine.id, agent_address=machine.agent_address, expires_at=end.isoformat(timespec="seconds")
    )


def _revoke_certificates(record: CvmRecord, desired: ConfidentialVM, context: Context) -> None:
    """Let no earlier machine in any more, and wait until Prism takes none for the one that is to come."""
    workspace = context.session.workspace(desired.workspace)
    for earlier in workspace.certificates.list(cvm_id=record.id):
        if not earlier.revoked:
            workspace.certificates.revoke(earlier.serial_number)

    def is_away() -> bool | None:
        return workspace.cvms.get(record.id).status is not VmStatus.ONLINE or None

    if poll(context, is_away, timeout=_AWAY_WITHIN) is None:
        raise Conflict(
            "Prism still shows the agent of the earlier machine as connected",
            next_step="Run the update again.",
        )


def _remove(manager: CocosManager, state: ConfidentialVM, record: CvmRecord | None) -> None:
    # Prism names the record itself until an agent tells which machine it is in.
    told = record.cvm_id if record is not None and record.cvm_id != record.id else None
    for machine_id in dict.fromkeys(filter(None, (state.cvm_id, told))):
        manager.remove(machine_id)


@contextmanager
def _manager(state: ConfidentialVM, context: Context) -> Iterator[CocosManager]:
    from prism_iac.hypervisor.cocos import CocosManager, read_access

    assert state.manager is not None, "the model asks for one"
    key = context.session.settings.manager_key
    access = read_access(state.manager, state.manager_tls, configured_key=key)
    with CocosManager(access) as manager:
        yield manager


def _ttl(state: ConfidentialVM) -> timedelta:
    return parse_duration(state.ttl or DEFAULT_TTL)
