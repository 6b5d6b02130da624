"""Whether there is a VM that does its part."""

from __future__ import annotations

from prism_iac.cli._outcome import Outcome, failed, fine
from prism_iac.cli.diagnose._subject import Subject
from prism_iac.model import VmStatus
from prism_iac.prism import CvmRecord

__all__ = ["check_vm"]


def check_vm(subject: Subject) -> Outcome:
    """Whether the VM of a run is there; between runs, whether one is ready for the next."""
    if subject.current_run is None:
        return _any_ready(subject)
    vm = subject.vm
    if vm is None:
        return failed(
            "-", cause="Prism does not say on which VM it runs", fix="Stop the run, and run it again."
        )
    if vm.is_gone:
        return failed(
            _words(vm),
            cause="the VM of the run was removed",
            fix=f"Run `prism-iac computations stop {subject.record.name}`, and run it on another VM.",
        )
    if vm.status is not VmStatus.ONLINE:
        return failed(
            _words(vm),
            cause="the agent of the run has no connection to Prism",
            fix=f"Look at `prism-iac vms show {vm.name}`; replace the VM if it does not come back.",
        )
    return fine(_words(vm))


def _any_ready(subject: Subject) -> Outcome:
    ready = [vm for vm in subject.vms if vm.is_ready]
    if ready:
        return fine(", ".join(sorted(map(_words, ready))))
    if not subject.vms:
        return failed(
            "none",
            cause="the workspace has no VM",
            fix="Declare a ConfidentialVM and run `pulumi up`.",
        )
    return failed(
        ", ".join(sorted(map(_words, subject.vms))),
        cause="no VM takes a computation",
        fix="Wait until one is online and in the phase ReceivingManifest, or replace it.",
    )


def _words(vm: CvmRecord) -> str:
    return " ".join(filter(None, (vm.name, vm.status, vm.state)))
