"""A confidential VM: a trusted execution environment with an agent in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from prism_iac.model._canonical import (
    Address,
    Duration,
    LevelText,
    PlatformText,
    ProviderText,
    Text,
    WholeNumber,
    parse_duration,
)
from prism_iac.model._change import COMPUTED, IN_PLACE, LASTING, REPLACE
from prism_iac.model._document import Document
from prism_iac.model._names import LogLevel, Platform, VmProvider, VmStatus
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import Unknown, contains_unknown
from prism_iac.model._words import shown
from prism_iac.model.resources._base import InWorkspace
from prism_iac.model.resources._qemu import QemuEvidence, QemuSettings

__all__ = ["DEFAULT_TTL", "ConfidentialVM", "ManagerTls", "VmLimits", "VmSettings", "policy_without_evidence"]

DEFAULT_TTL: Final = "24h"
_LONGEST_TTL: Final = timedelta(days=365)

_CHOICES: dict[tuple[VmProvider, Platform], tuple[int, ...]] = {
    (VmProvider.GCP, Platform.SEV_SNP): (2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224),
    (VmProvider.GCP, Platform.TDX): (4, 8, 22, 44, 88, 176),
    (VmProvider.AZURE, Platform.SEV_SNP): (2, 4, 8, 16, 32, 48, 64, 96),
    (VmProvider.AZURE, Platform.TDX): (2, 4, 8, 16, 32, 48, 64, 96, 128),
}
"""The vCPU counts that a cloud offers (prism-rest.md section 3.5)."""


class VmLimits(Document):
    """What the processes of a VM of the local hypervisor may use."""

    memory_mib: Annotated[WholeNumber, Field(ge=128), REPLACE] = 2048
    """Address space of each process, MiB."""

    processes: Annotated[WholeNumber, Field(ge=1), REPLACE] = 256
    """Processes and threads that an algorithm may add."""

    run_time: Annotated[Duration, REPLACE] = "1h"
    """How long an algorithm may run."""


class ManagerTls(Document):
    """How the manager of a VM and the provider know each other; each file is its path, or the PEM text itself."""

    server_ca: Annotated[Text, IN_PLACE]
    """The CA that verifies the manager's certificate."""

    client_certificate: Annotated[Text | None, IN_PLACE] = None
    """The certificate to show to a manager that asks for one."""

    client_key: Annotated[Text | None, IN_PLACE.as_secret()] = None
    """Its private key; `prism:managerKey` of the configuration when left out."""

    @model_validator(mode="after")
    def _key_has_a_certificate(self) -> Self:
        if self.client_key is not None and self.client_certificate is None:
            raise Refusal(
                "there is a key without its certificate", "Give both, or neither.", field="client_key"
            )
        return self


class VmSettings(Document):
    """What kind of VM to make, and how long to wait for it."""

    misnomers: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(
            ("memory", "memory_mib", "memory_mb", "memory_gb", "ram"),
            "The memory of a VM cannot be chosen; for a local VM say `limits: {memory_mib: 4096}`.",
        )
    )

    provider: Annotated[ProviderText, REPLACE] = VmProvider.LOCAL
    """Who makes it: `local`, `qemu`, `cocos`, `external`, `ultraviolet` (also `manager`), `azure` or `gcp`."""

    platform: Annotated[PlatformText, REPLACE] = Platform.SEV_SNP
    """`sev-snp` or `tdx`."""

    vcpus: Annotated[WholeNumber, Field(ge=1), REPLACE] = 2
    """The number of virtual processors."""

    agent_log_level: Annotated[LevelText, REPLACE] = LogLevel.INFO
    """How much the agent logs where a computation does not say."""

    limits: Annotated[VmLimits | None, REPLACE] = None
    """What its processes may use; `local` only."""

    qemu: Annotated[QemuSettings | None, REPLACE] = None
    """How it is started; `qemu` only."""

    manager: Annotated[Address | None, REPLACE] = None
    """The manager that makes it, `host:port`; `cocos` only."""

    manager_tls: Annotated[ManagerTls | None, IN_PLACE] = None
    """How it and the provider know each other; without it nothing is encrypted; `cocos` only."""

    ttl: Annotated[Duration | None, IN_PLACE] = None
    """How long the manager lets it live, `24h` when left out; `cocos` only.

    In the last quarter of it a preview shows that it is due, and an update makes it anew. A change counts from then
    on.
    """

    ready_timeout: Annotated[Duration, IN_PLACE] = "15m"
    """How long to wait for it to become ready."""

    @model_validator(mode="after")
    def _provider_offers_it(self) -> Self:
        if any(isinstance(value, Unknown) for value in (self.provider, self.platform, self.vcpus)):
            return self
        offered = _CHOICES.get((self.provider, self.platform))
        if offered is not None and self.vcpus not in offered:
            choices = ", ".join(str(count) for count in offered)
            raise Refusal(
                f"{self.provider} has no {self.platform} machine with {self.vcpus} vCPUs",
                f"Choose one of {choices}.",
                field="vcpus",
            )
        if self.provider is VmProvider.LOCAL and self.platform is not Platform.SEV_SNP:
            raise Refusal(
                f"the local hypervisor simulates {Platform.SEV_SNP} only, not {self.platform}",
                f"Use the platform {Platform.SEV_SNP}, or a provider that has {self.platform}.",
                field="platform",
            )
        if self.limits is not None and self.provider is not VmProvider.LOCAL:
            raise Refusal(
                f"limits apply to the provider local only, not to {self.provider}",
                "Remove the limits, or choose the provider local.",
                field="limits",
            )
        return self

    @model_validator(mode="after")
    def _manager_makes_it(self) -> Self:
        if isinstance(self.provider, Unknown):
            return self
        if self.provider is VmProvider.COCOS:
            if self.manager is None:
                raise Refusal(
                    "no manager is named that makes the VM",
                    "Write `manager: HOST:PORT`, and its files under `manager_tls`.",
                    field="manager",
                )
            if contains_unknown([self.ttl]):
                return self
            ttl = parse_duration(self.ttl or DEFAULT_TTL)
            if not timedelta(seconds=1) <= ttl <= _LONGEST_TTL:
                raise Refusal(
                    f"{shown(self.ttl or '')} is no time to live",
                    f"Write a duration from 1s to {_LONGEST_TTL.days}d, such as {DEFAULT_TTL}.",
                    field="ttl",
                )
            return self
        for field in ("manager", "manager_tls", "ttl"):
            if (value := getattr(self, field)) is not None and not contains_unknown([value]):
                raise Refusal(
                    f"{field} applies to the provider cocos only, not to {self.provider}",
                    "Remove it, or choose the provider cocos.",
                    field=field,
                )
        return self

    @property
    def has_evidence_here(self) -> bool:
        """Whether its agent can be asked for evidence where the VM is made: on this machine, by simulation only.

        An agent elsewhere is asked by participants, while a computation has its port open.
        """
        if contains_unknown([self.provider, self.qemu, self.qemu and self.qemu.evidence]):
            return True
        if self.provider is VmProvider.QEMU:
            return self.qemu is not None and self.qemu.evidence is QemuEvidence.SIMULATED
        return self.provider is VmProvider.LOCAL

    @model_validator(mode="after")
    def _qemu_starts_it(self) -> Self:
        if isinstance(self.provider, Unknown) or isinstance(self.qemu, Unknown):
            return self
        if self.qemu is not None and self.provider is not VmProvider.QEMU:
            raise Refusal(
                f"qemu applies to the provider qemu only, not to {self.provider}",
                "Remove it, or choose the provider qemu.",
                field="qemu",
            )
        if (
            self.qemu is not None
            and self.qemu.evidence is QemuEvidence.SIMULATED
            and self.platform is Platform.TDX
        ):
            raise Refusal(
                f"evidence of {Platform.SEV_SNP} is simulated only, not of {self.platform}",
                f"Use the platform {Platform.SEV_SNP}, or remove `evidence`.",
                field="platform",
            )
        return self


def policy_without_evidence(provider: VmProvider, field: str) -> Refusal:
    """That a VM is held to a policy by evidence that nobody asks for."""
    trial = (
        " To try it out, say `qemu: {protection: none, evidence: simulated}`."
        if provider is VmProvider.QEMU
        else ""
    )
    return Refusal(
        f"a VM of the provider {provider} shows no evidence here, so the policy would hold it to nothing",
        f"Remove it: participants hold the agent to the policy of the computation.{trial}",
        field=field,
    )


class ConfidentialVM(VmSettings, InWorkspace):
    """A VM that is awaited until its agent is ready for a manifest; every change replaces it (D33 to D40)."""

    kind: ClassVar[str] = "ConfidentialVM"

    name: Annotated[Text | None, REPLACE] = None
    """The name; the logical name with a suffix of its own when left out."""

    policy: Annotated[Text | None, IN_PLACE] = None
    """The text of the policy file that its evidence must meet; that of its first evidence when left out.

    For VMs that show evidence here: `local`, and `qemu` with simulated evidence.
    """

    cvm_id: Annotated[str | None, COMPUTED] = None
    """The id of the machine instance; a VM that a manager made anew has another."""

    agent_address: Annotated[str | None, COMPUTED] = None
    """Where participants reach the agent, `host:port`."""

    expires_at: Annotated[str | None, COMPUTED] = None
    """When the manager ends it, RFC 3339; `cocos` only."""

    status: Annotated[VmStatus | None, COMPUTED] = None
    """Power and connection at the last read."""

    state: Annotated[str | None, COMPUTED] = None
    """The agent's phase at the last read."""

    attestation_policy: Annotated[str | None, LASTING] = None
    """The VM's attestation policy as JSON text, from when it was first online; a refresh holds it to that."""

    measurement: Annotated[str | None, COMPUTED] = None
    """The launch measurement that its evidence showed at the last read, hexadecimal."""

    reported_tcb: Annotated[str | None, COMPUTED] = None
    """The TCB that its evidence showed at the last read, part by part."""

    attestation: Annotated[str | None, COMPUTED] = None
    """How fresh evidence met the policy at the last read: `accepted`, `refused` or `failed`, and why.

    None where no agent can be asked: measurement and TCB are then what the VM told Prism when it connected.
    """

    monthly_cost_estimate: Annotated[str | None, LASTING] = None
    """An amount of money with its sign, where Prism knows one."""
