"""The life of a confidential VM: recorded at Prism, started by a driver where Prism does not, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prism_iac.errors import (
    Conflict,
    FailedClaim,
    Finding,
    InvalidInput,
    PartialResult,
    PrismError,
    VerificationFailure,
)
from prism_iac.lifecycle._context import Context, poll
from prism_iac.lifecycle._handler import Handler, Live, whereabouts
from prism_iac.lifecycle._identity import name_suffix
from prism_iac.lifecycle.handlers._cocos_vm import ensure_machine, is_there, remove_machines, why_renewed
from prism_iac.lifecycle.handlers._vm_spec import spec_of, state_of_process
from prism_iac.model import AgentState, VmProvider, VmStatus, mark_of
from prism_iac.model.resources import ConfidentialVM, policy_without_evidence
from prism_iac.prism import NotFound

if TYPE_CHECKING:
    from prism_iac.lifecycle.handlers._vm_attestation import Shown
    from prism_iac.prism import CertificateFiles, CvmRecord

__all__ = ["ConfidentialVMHandler"]

_DRIVEN = frozenset({VmProvider.LOCAL, VmProvider.QEMU})
"""The providers whose VMs a driver of this package makes; Prism records them as `external`."""

_BY_MANAGER = frozenset({VmProvider.COCOS})
"""The providers whose VMs a manager elsewhere makes; Prism records them as `external`, too."""

_OF_MACHINE = ("cvm_id", "agent_address", "expires_at")
"""What state knows of the machine that a manager made, and nobody else does."""

_NOT_READY = frozenset({None, AgentState.IDLE})
"""The phases of an agent that cannot take a manifest, now or after a reset."""

_ACCEPTED = "accepted"

_CLOUDS = frozenset({VmProvider.ULTRAVIOLET, VmProvider.AZURE, VmProvider.GCP})


class ConfidentialVMHandler(Handler[ConfidentialVM]):
    """Prism has no call that changes a VM: every change of what it is replaces it (D40)."""

    model = ConfidentialVM
    replaces_by_deleting_first = True

    def complete(self, desired: ConfidentialVM, context: Context) -> ConfidentialVM:
        """Give it a name of its own; refuse what can never come online, or be held to what it is to prove."""
        if desired.provider in _CLOUDS and context.session.settings.is_embedded:
            raise InvalidInput(
                [
                    Finding(
                        path="provider",
                        message=f"the embedded backend has no account at {desired.provider}",
                        fix="Use `local`, or set prism:endpoint to a Prism that has one.",
                    )
                ]
            )
        if desired.policy is not None and not desired.has_evidence_here:
            # Not the model's to say: what a state has, a destroy must be able to read.
            refusal = policy_without_evidence(desired.provider, "policy")
            raise InvalidInput([Finding(path=refusal.field, message=refusal.message, fix=refusal.fix)])
        if desired.name is not None:
            return desired
        return desired.with_(name=f"{context.name}-{name_suffix(context.identity)}")

    def create(self, desired: ConfidentialVM, context: Context) -> Live[ConfidentialVM]:
        """Find the record of an earlier create, or make it; then start the VM and wait."""
        cvms = context.session.workspace(desired.workspace).cvms
        found = _named(desired, context)
        cvm_id = (
            found.id
            if found
            else cvms.create(
                provider=VmProvider.EXTERNAL
                if desired.provider in _DRIVEN | _BY_MANAGER
                else desired.provider,
                platform=desired.platform,
                vcpus=desired.vcpus,
                name=desired.name or "",
                agent_log_level=desired.agent_log_level,
                idempotency_key=mark_of(desired.identity),
            )
        )
        live = self._bring_up(cvm_id, desired, context)
        if desired.policy is not None and (reason := _why_unproven(live.state)):
            raise PartialResult(
                f"the VM does not meet its policy: {reason}",
                id=live.id,
                state=live.state.properties(),
                next_step="Correct the policy or the VM, and run the update again. Send nothing to this VM.",
            )
        return live

    def find(self, desired: ConfidentialVM, context: Context) -> Live[ConfidentialVM] | None:
        """By the name, where it is one of its own.

        Raises:
            PartialResult: The record is there, and the VM is not ready.
        """
        record = _named(desired, context)
        if record is None:
            return None
        live = self.read(Live(record.id, desired), context)
        if live is None or (desired.provider is not VmProvider.EXTERNAL and not _is_ready(record)):
            raise PartialResult(
                "the VM has its record and is not ready",
                id=record.id,
                state=(live.state if live else desired).properties(),
                next_step="The next update goes on with it.",
            )
        return live

    def read(self, live: Live[ConfidentialVM], context: Context) -> Live[ConfidentialVM] | None:
        """The record as it is; gone when it is inactive or its process has ended.

        A VM whose manager has ended it keeps its record and comes back with the next update.
        """
        record = context.session.snapshot(live.state.workspace).cvms.get(live.id)
        if record is None or record.status is VmStatus.INACTIVE:
            return None
        state = live.state
        if state.provider in _DRIVEN:
            vm = context.session.hypervisor(state.provider).find(live.id)
            if vm is None or not vm.running:
                return None
            state = state_of_process(state, vm)
        if state.provider in _BY_MANAGER and not is_there(state, context):
            state = state.with_(**dict.fromkeys(_OF_MACHINE))
        return Live(live.id, _with_outputs(state, record, context))

    def recall(self, object_id: str, context: Context) -> Live[ConfidentialVM] | None:
        """By the id of the record; the limits of its process have their defaults."""
        workspace, vm_id = whereabouts(object_id, context)
        record = context.session.snapshot(workspace).cvms.get(vm_id)
        if record is None:
            return None
        nothing_known = ConfidentialVM.parse(
            {
                "identity": context.identity,
                "workspace": workspace,
                "name": record.name,
                "provider": _provider_of(record, context),
                "platform": record.cc_platform,
                "vcpus": record.vcpus,
                "agent_log_level": record.agent_log_level,
            }
        )
        return self.read(Live(record.id, nothing_known), context)

    def update(
        self, live: Live[ConfidentialVM], desired: ConfidentialVM, context: Context
    ) -> Live[ConfidentialVM]:
        """Go on where a create was cut off, and look again whether the VM proves itself.

        Raises:
            VerificationFailure: It does not; no update makes another VM of it.
        """
        known = desired.with_(
            **{name: getattr(live.state, name) for name in ("attestation_policy", *_OF_MACHINE)}
        )
        updated = self._bring_up(live.id, known, context)
        if _why_unproven(updated.state):
            raise VerificationFailure(
                "the VM does not prove to be the one that was made",
                failed=[FailedClaim("attestation", _ACCEPTED, updated.state.attestation or "")],
                where=context.name,
                next_step="Find out who changed it; then make another one: "
                "`pulumi up --replace` with its URN, or `prism-iac vms stop` and `start` to start it again.",
            )
        return updated

    def why_due(self, state: ConfidentialVM, context: Context) -> str | None:
        """A VM whose time is nearly over, or that did not prove itself at the last read: a plan shows it."""
        if state.provider in _BY_MANAGER and (reason := why_renewed(state, context.now())):
            return reason
        return _why_unproven(state)

    def delete(self, live: Live[ConfidentialVM], context: Context) -> None:
        """Retire the record, then end the VM; its certificates are revoked with it."""
        record = None
        if live.state.provider in _BY_MANAGER:
            record = context.session.snapshot(live.state.workspace).cvms.get(live.id)
        context.session.workspace(live.state.workspace).cvms.delete(live.id)
        context.session.snapshot(live.state.workspace).cvms.drop(live.id)
        if live.state.provider in _DRIVEN:
            context.session.hypervisor(live.state.provider).remove(live.id)
        if live.state.provider in _BY_MANAGER:
            remove_machines(live.state, record, context)

    def _bring_up(self, cvm_id: str, desired: ConfidentialVM, context: Context) -> Live[ConfidentialVM]:
        try:
            record = context.session.workspace(desired.workspace).cvms.get(cvm_id)
            if desired.provider in _DRIVEN:
                _start(record, desired, context)
            if desired.provider in _BY_MANAGER:
                desired = ensure_machine(record, desired, context)
            if desired.provider is not VmProvider.EXTERNAL:
                record = _await_ready(record, desired, context)
            return Live(cvm_id, _with_outputs(desired, record, context))
        except PrismError as error:
            raise PartialResult(
                error.message,
                id=cvm_id,
                state=desired.properties(),
                where=error.where,
                next_step=error.next_step,
            ) from error


def _named(desired: ConfidentialVM, context: Context) -> CvmRecord | None:
    """The record with the name of this identity; a name that people chose tells of none."""
    name = desired.name or ""
    if not name.endswith(name_suffix(desired.identity)):
        return None
    return context.session.snapshot(desired.workspace).cvms.find(name)


def _is_ready(record: CvmRecord) -> bool:
    return record.status is VmStatus.ONLINE and record.state not in _NOT_READY


def _why_unproven(state: ConfidentialVM) -> str | None:
    if state.attestation is None or state.attestation.startswith(_ACCEPTED):
        return None
    return f"the evidence of the VM: {state.attestation}"


def _provider_of(record: CvmRecord, context: Context) -> str:
    """Prism knows a VM that a driver of this machine made as an external one."""
    if record.provider != VmProvider.EXTERNAL:
        return record.provider
    return next(
        (driver for driver in _DRIVEN if context.session.hypervisor(driver).find(record.id) is not None),
        VmProvider.EXTERNAL,
    )


def _start(record: CvmRecord, desired: ConfidentialVM, context: Context) -> None:
    hypervisor = context.session.hypervisor(desired.provider)
    if (running := hypervisor.find(record.id)) is not None and running.running:
        return
    files = _identity_files(record, desired, context)
    hypervisor.create(spec_of(record, desired, files, context))


def _identity_files(record: CvmRecord, desired: ConfidentialVM, context: Context) -> CertificateFiles:
    """The certificate that the VM was born with, which its agent shows to the control stream."""
    certificates = context.session.workspace(desired.workspace).certificates
    serial = next(
        (item.serial_number for item in certificates.list(cvm_id=record.id) if not item.revoked), None
    )
    return certificates.fetch(record.id, serial or certificates.issue(record.id))


def _await_ready(record: CvmRecord, desired: ConfidentialVM, context: Context) -> CvmRecord:
    cvms = context.session.workspace(desired.workspace).cvms
    stage = ""

    def ready() -> CvmRecord | None:
        nonlocal stage
        seen = cvms.get(record.id)
        if (now := " ".join(filter(None, (seen.status, seen.state)))) != stage:
            stage = now
            context.report(stage)
        if seen.status is VmStatus.INACTIVE:
            raise PartialResult(
                "the VM was removed while it started", id=record.id, state=desired.properties()
            )
        if _is_ready(seen):
            return seen
        _check_process(record, desired, context)
        return None

    found = poll(context, ready, timeout=desired.ready_timeout)
    if found is None:
        raise PartialResult(
            f"the VM is not ready after {desired.ready_timeout}: it is {stage}",
            id=record.id,
            state=desired.properties(),
            next_step="Run the update again to go on waiting, or raise ready_timeout.",
        )
    return found


def _check_process(record: CvmRecord, desired: ConfidentialVM, context: Context) -> None:
    """Do not wait for a VM of this machine whose process has ended."""
    if desired.provider not in _DRIVEN:
        return
    vm = context.session.hypervisor(desired.provider).find(record.id)
    if vm is None or not vm.running:
        raise Conflict(
            "the process of the VM ended while it started",
            next_step=f"Look at {vm.folder / 'console.log'}, and run the update again." if vm else "",
        )


def _with_outputs(state: ConfidentialVM, record: CvmRecord, context: Context) -> ConfidentialVM:
    # The policy of its first evidence stays: by a later one a VM would vouch for itself.
    policy = state.attestation_policy or _policy(record, state, context)
    shown = _shown(state.policy or policy, state, record, context)
    machine = (
        {}
        if state.provider in _BY_MANAGER
        else {"cvm_id": record.cvm_id, "agent_address": record.agent_address}
    )
    return state.with_(
        **machine,
        status=record.status,
        state=record.state,
        attestation_policy=policy,
        measurement=shown.measurement,
        reported_tcb=shown.reported_tcb,
        attestation=shown.attestation,
        monthly_cost_estimate=record.monthly_cost_estimate,
    )


def _shown(policy: str | None, state: ConfidentialVM, record: CvmRecord, context: Context) -> Shown:
    from prism_iac.lifecycle.handlers._vm_attestation import Shown, ask_agent, claims_of

    if state.provider not in _DRIVEN:
        return claims_of(record.attestation) if record.attestation else Shown()
    hypervisor = context.session.hypervisor(state.provider)
    vm = hypervisor.find(record.id)
    if vm is None or vm.evidence_at is None:
        return Shown()
    return ask_agent(vm.evidence_at, policy, roots=hypervisor.evidence_roots(), now=context.now())


def _policy(record: CvmRecord, state: ConfidentialVM, context: Context) -> str | None:
    if record.status is not VmStatus.ONLINE:
        # A policy comes with the first connection.
        return None
    try:
        return context.session.workspace(state.workspace).cvms.attestation_policy(record.id).decode()
    except (NotFound, UnicodeDecodeError):
        # There is none; or one that is no text, which stays with Prism.
        return None
