"""An attestation policy: the reference values that participants hold an agent's evidence against."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from prism_iac.model._canonical import Checksum, Day, LaunchDigest, Pem, Text, WholeNumber
from prism_iac.model._change import COMPUTED, IN_PLACE, REPLACE
from prism_iac.model._document import Document
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import contains_unknown
from prism_iac.model.resources._base import ResourceModel

__all__ = ["Approval", "AttestationPolicy", "PolicyLaunch", "PolicySettings"]


class PolicyLaunch(Document):
    """What a VM is launched from, which decides its launch measurement (attestation.md sections 1 and 4.6)."""

    firmware: Annotated[Text, IN_PLACE]
    """The file of the firmware image."""

    kernel: Annotated[Text | None, IN_PLACE] = None
    """The file of the kernel, when the hypervisor gives the VM one."""

    initrd: Annotated[Text | None, IN_PLACE] = None
    """The file of the initial ramdisk."""

    cmdline: Annotated[str | None, IN_PLACE] = None
    """The kernel's command line, to the character."""

    vcpus: Annotated[Annotated[WholeNumber, Field(ge=1)] | None, IN_PLACE] = None
    """The number of virtual processors; SEV-SNP needs it."""

    vcpu_type: Annotated[Text | None, IN_PLACE] = None
    """Their type, such as `EPYC-v4`; QEMU needs it."""

    vmm_type: Annotated[Text, IN_PLACE] = "QEMU"
    """The hypervisor: `QEMU`, `ec2`, `gce` or `krun`."""

    guest_features: Annotated[Annotated[WholeNumber, Field(ge=0)], IN_PLACE] = 1
    """SEV_FEATURES of the guest."""

    @model_validator(mode="after")
    def _kernel_has_its_parts(self) -> Self:
        if self.kernel is None:
            for name in ("initrd", "cmdline"):
                if getattr(self, name) is not None:
                    raise Refusal(
                        "belongs to a kernel, and there is none", "Name the kernel, too.", field=name
                    )
        return self


class Approval(Document):
    """That somebody allows a policy to get looser."""

    change: Annotated[Text, IN_PLACE]
    """The field that may get looser, as the refusal names it, such as `minimum_tcb`."""

    by: Annotated[Text, IN_PLACE]
    """Who allows it."""

    reason: Annotated[Text, IN_PLACE]
    """Why."""

    until: Annotated[Day, IN_PLACE]
    """The last day, UTC, on which the change may be made."""


def _unique_sorted(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


class PolicySettings(Document):
    """What evidence must show; nothing of it comes from a VM."""

    expectations: Annotated[dict[str, Any] | None, IN_PLACE] = None
    """The policy document itself, with the keys of the policy file, when it is declared."""

    reference_values: Annotated[Text | None, IN_PLACE] = None
    """A signed policy file that `expectations` are taken from; needs `signed_by`."""

    launch: Annotated[PolicyLaunch | None, IN_PLACE] = None
    """What the VM is launched from; `measurement` is computed from it before anything is changed."""

    measurement: Annotated[LaunchDigest | None, IN_PLACE] = None
    """The launch measurement to expect; one that is given beside `launch` must be what it computes."""

    accept: Annotated[
        Annotated[tuple[LaunchDigest, ...], AfterValidator(_unique_sorted)] | None, IN_PLACE
    ] = None
    """Other launch measurements that are as good, for a change-over."""

    minimum_tcb: Annotated[dict[str, WholeNumber] | None, IN_PLACE] = None
    """The least TCB by part: `boot_loader`, `tee`, `snp`, `microcode`, and `fmc` of Turin."""

    warn: Annotated[dict[str, Day] | None, IN_PLACE] = None
    """Fields that only warn, such as `minimum_tcb`, and the last day, UTC, on which they do; then they count."""

    approvals: Annotated[tuple[Approval, ...] | None, IN_PLACE] = None
    """Who allows which field to get looser, where that needs an approval."""


class AttestationPolicy(PolicySettings, ResourceModel):
    """A policy file for the participants, downloaded from a VM or declared (prism-rest.md section 3.10, D47)."""

    kind: ClassVar[str] = "AttestationPolicy"

    path: Annotated[Text, IN_PLACE]
    """The file to write, relative to the project folder."""

    workspace: Annotated[Text | None, REPLACE] = None
    """The Prism workspace of the VM: its name, alias or id. Defaults to the provider's."""

    vm: Annotated[Text | None, IN_PLACE] = None
    """The id of the VM to download the policy from."""

    signed_by: Annotated[Pem | None, IN_PLACE] = None
    """The public key, PEM, that `reference_values` must be signed by."""

    manifest: Annotated[Text | None, IN_PLACE] = None
    """The manifest, canonical JSON, that PCR 16 of a TPM must show, as its agent extends it."""

    launch_digests: Annotated[dict[str, str] | None, IN_PLACE] = None
    """The hashes of what `launch` names; computed from it, and a given one must be what it computes."""

    requires_approval: Annotated[bool | None, IN_PLACE] = None
    """Whether a looser policy needs an approval; so it is in an environment or stack named `prod`."""

    document: Annotated[str | None, COMPUTED] = None
    """The policy file's text."""

    sha3_256: Annotated[Checksum | None, COMPUTED] = None
    """SHA3-256 of the policy file's bytes."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        declared = [self.expectations, self.reference_values]
        if contains_unknown([self.vm, *declared]):
            return self
        has_values = any(value is not None for value in declared)
        is_measured = self.launch is not None or self.measurement is not None
        if (self.vm is not None and has_values) or not (self.vm is not None or has_values or is_measured):
            raise Refusal(
                "a policy comes from a VM or is declared, one of the two", "Give either vm or expectations."
            )
        if self.vm is not None and self.minimum_tcb is not None:
            raise Refusal(
                "the policy of a VM has the least TCB of its own evidence",
                "Remove it, or declare the expectations.",
                field="minimum_tcb",
            )
        if self.reference_values is not None and self.signed_by is None:
            raise Refusal(
                "reference values count by their signature, and no key is named",
                "Name the public key of whoever signs them as signed_by.",
                field="reference_values",
            )
        return self
