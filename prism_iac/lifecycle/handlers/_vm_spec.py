"""A VM as the hypervisors of this package make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prism_iac.hypervisor import Vm, VmSpec
from prism_iac.lifecycle._context import Context
from prism_iac.model.resources import ConfidentialVM, QemuSettings, VmLimits

if TYPE_CHECKING:
    from prism_iac.prism import CertificateFiles, CvmRecord

__all__ = ["spec_of", "state_of_process"]


def spec_of(record: CvmRecord, desired: ConfidentialVM, files: CertificateFiles, context: Context) -> VmSpec:
    """What to make of a record.

    Args:
        record: The VM at Prism.
        desired: Its inputs.
        files: The certificate that its agent shows to the control stream.
        context: Knows where that stream is.
    """
    return VmSpec(
        id=record.id,
        name=record.name,
        platform=desired.platform,
        vcpus=desired.vcpus,
        agent_log_level=desired.agent_log_level,
        control_address=context.session.control_address,
        control_ca=files.ca_pem.encode(),
        client_certificate=files.certificate_pem.encode(),
        client_key=files.private_key_pem.encode(),
        limits=desired.limits or VmLimits(),
        qemu=desired.qemu,
    )


def state_of_process(state: ConfidentialVM, vm: Vm) -> ConfidentialVM:
    """The VM with what its process was started with, where somebody started another one in its place."""
    return state.with_(
        platform=vm.platform,
        vcpus=vm.vcpus,
        agent_log_level=vm.agent_log_level,
        limits=state.limits if vm.limits == (state.limits or VmLimits()) else vm.limits,
        qemu=state.qemu if (vm.qemu or QemuSettings()) == (state.qemu or QemuSettings()) else vm.qemu,
    )
