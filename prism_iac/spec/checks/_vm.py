"""VMs: what the endpoint cannot provide, and what proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.errors import Finding
from prism_iac.model import Refusal, VmProvider
from prism_iac.model.resources import ManagerTls, QemuSettings
from prism_iac.model.stack import EMBEDDED
from prism_iac.spec._draft import Draft
from prism_iac.spec._tls import mode_of

__all__ = ["check_vms"]

_MADE_BY_THE_SERVICE: Final = frozenset({VmProvider.GCP, VmProvider.AZURE, VmProvider.ULTRAVIOLET})


def check_vms(draft: Draft) -> Iterator[Finding]:
    """VMs that nobody would ever start, and policies that say nothing of a VM."""
    for name, vm in draft.vms.items():
        if vm.manager_tls is not None:
            yield from _manager_files(draft, name, vm.manager_tls)
        if vm.qemu is not None:
            yield from _guest_files(draft, name, vm.qemu)
        policy = draft.attestation_policies.get(vm.attestation_policy or "")
        if policy is not None and policy.vm is not None:
            yield draft.finding(
                ("vms", name, "attestation_policy"),
                "this policy comes from a VM, and would let it vouch for itself",
                "Name a policy with expectations, or leave it out: a VM is held to its first evidence anyway.",
            )
        if policy is not None and policy.manifest is not None:
            yield draft.finding(
                ("vms", name, "attestation_policy"),
                "this policy expects a manifest, and a VM has none when its evidence is first looked at",
                "Name a policy without `manifest`; this one is for the agent of a computation.",
            )
    yield from _agents_without_evidence(draft)
    if draft.endpoint != EMBEDDED:
        return
    for name, vm in draft.vms.items():
        if vm.provider in _MADE_BY_THE_SERVICE:
            yield draft.finding(
                ("vms", name, "provider"),
                f"the embedded backend makes no {vm.provider} machines, so this VM would never come online",
                "Choose local, or external for a machine of yours; or set `endpoint:` to a Prism service.",
            )


def _manager_files(draft: Draft, name: str, files: ManagerTls) -> Iterator[Finding]:
    for field in type(files).model_fields:
        as_written = getattr(files, field)
        location = ("vms", name, "manager_tls", field)
        if as_written is None:
            continue
        try:
            draft.inputs.read_key_file(draft.path(location, as_written), as_written=as_written)
        except Refusal as refusal:
            yield draft.refused(location, refusal)


def _guest_files(draft: Draft, name: str, settings: QemuSettings) -> Iterator[Finding]:
    for field, as_written in settings.files.items():
        location = ("vms", name, "qemu", field)
        try:
            draft.inputs.require(draft.path(location, as_written), as_written=as_written)
        except Refusal as refusal:
            yield draft.refused(location, refusal)


def _agents_without_evidence(draft: Draft) -> Iterator[Finding]:
    """Attested modes on guests whose agent has nothing to prove itself with."""
    for name, computation in draft.computations.items():
        vm = draft.vms.get(computation.vm or "")
        if vm is None or vm.provider is not VmProvider.QEMU or vm.has_evidence_here:
            continue
        if not (vm.qemu or QemuSettings()).own_agent:
            continue
        mode = mode_of(computation.agent, draft.certificates)
        if mode is not None and mode.is_attested:
            yield draft.finding(
                ("computations", name, "vm"),
                f'the agent of the guest image cannot ask hardware for evidence, so "{computation.vm}" has none for '
                f"the mode {mode}",
                "Choose tls or mtls, boot an image whose agent can (`qemu: {kernel: ..., initrd: ...}`), or try it out "
                "with `qemu: {protection: none, evidence: simulated}`.",
            )
