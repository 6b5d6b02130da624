"""Rules about VMs and what their evidence must show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.attestation import PolicyDocument
from prism_iac.errors import InvalidInput
from prism_iac.model import Location, VmProvider
from prism_iac.model.stack import PolicyEntry, StackFile
from prism_iac.rules._rule import Breach, Parameters

__all__ = ["enforced_policies", "hardware_evidence", "least_tcb", "measured_vms", "no_debug_guests"]

_SIMULATED: Final = "SIMULATED"
_DEBUG: Final = 1 << 19
"""The bit of the guest policy that lets the host debug (AMD 56860 §4.3)."""

_TDX_DEBUG: Final = 1
"""TDATTRIBUTES bit 0: the host may read the memory of a domain."""


def measured_vms(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """VMs with a computation that nobody holds to a declared launch measurement.

    An update does where the VM shows it evidence, else participants, by the policy of the computation.
    """
    for location in _unmeasured(file):
        yield Breach(
            location,
            "no declared policy says what the VM must have been launched from",
            "Declare a policy with `launch:` or `measurement:`, and name it here.",
        )


def _unmeasured(file: StackFile) -> Iterator[Location]:
    computations = file.computations.items()
    for name, vm in file.vms.items():
        held = [(key, item.agent.attestation_policy) for key, item in computations if item.vm == name]
        if held and vm.has_evidence_here and vm.attestation_policy is None:
            yield ("vms", name, "attestation_policy")
        if not vm.has_evidence_here:
            for key, policy in held:
                declared = file.attestation_policies.get(policy or "")
                if declared is None or declared.vm is not None:
                    yield ("computations", key, "agent", "attestation_policy")


def hardware_evidence(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """VMs whose evidence no hardware has signed, and policies that accept such."""
    for name, vm in file.vms.items():
        if vm.provider is VmProvider.LOCAL:
            yield Breach(
                ("vms", name, "provider"),
                "a VM of this machine has simulated evidence, which protects nothing",
                "Choose a provider of confidential hardware.",
            )
        if vm.provider is VmProvider.QEMU and vm.qemu is not None and vm.qemu.is_plain:
            yield Breach(
                ("vms", name, "qemu", "protection"),
                "nothing keeps the machine out of the memory of a plain VM",
                "Say `protection: hardware`, on a machine with SEV-SNP or TDX.",
            )
    for name, policy in file.attestation_policies.items():
        line = _section(policy, "rootOfTrust").get("productLine")
        if str(line).upper() == _SIMULATED:
            yield Breach(
                ("attestation_policies", name, "expectations"),
                "the policy accepts simulated evidence, which protects nothing",
                "Name the product line of your hardware, such as Milan.",
            )


def no_debug_guests(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Policies that accept a guest whose memory the host may read."""
    for name, policy in file.attestation_policies.items():
        if policy.expectations is not None and _allows_debug(policy):
            yield Breach(
                ("attestation_policies", name, "expectations"),
                "the policy accepts guests that the host may debug, which is to read their memory",
                'Say `policy: {policy: "196608"}`, without bit 19.',
            )


def least_tcb(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Declared policies that accept any firmware, also one with known holes."""
    for name, policy in file.attestation_policies.items():
        if policy.vm is None and not policy.minimum_tcb and "minimumTcb" not in _section(policy, "policy"):
            yield Breach(
                ("attestation_policies", name, "minimum_tcb"),
                "the policy asks for no least TCB, so outdated firmware meets it",
                "Say `minimum_tcb:` with the parts that your hardware reports.",
            )


def enforced_policies(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Policies with fields that only warn."""
    for name, policy in file.attestation_policies.items():
        if policy.warn:
            yield Breach(
                ("attestation_policies", name, "warn"),
                "what does not meet the policy is only told for a while",
                "Remove it.",
            )


def _allows_debug(policy: PolicyEntry) -> bool:
    try:
        document = PolicyDocument.from_values(policy.expectations or {})
        if document.is_tdx:
            body = document.tdx_policy().body
            attributes = int.from_bytes(body.td_attributes or b"", "little")
            return bool(attributes & _TDX_DEBUG) and not body.enable_td_debug_check
        guest = document.snp_policy().policy.policy
    except InvalidInput:
        return False
    return guest is not None and bool(int(guest) & _DEBUG)


def _section(policy: PolicyEntry, name: str) -> dict[str, object]:
    section = (policy.expectations or {}).get(name)
    return section if isinstance(section, dict) else {}
