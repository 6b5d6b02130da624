"""Confidential VMs of a workspace (prism-rest.md section 2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from prism_iac.model import LogLevel, Platform
from prism_iac.prism._created import id_of_created
from prism_iac.prism._errors import NotFound
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed
from prism_iac.prism._routes import Routes
from prism_iac.prism.records import CvmRecord, CvmStatistic

__all__ = ["Cvms"]


@dataclass(frozen=True, slots=True)
class Cvms:
    """The confidential VMs of one workspace; there is no update, every change is a new VM (D40)."""

    routes: Routes

    def create(
        self,
        *,
        provider: str,
        vcpus: int,
        platform: Platform,
        name: str,
        agent_log_level: LogLevel = LogLevel.INFO,
        idempotency_key: str | None = None,
    ) -> str:
        """Ask for a VM (V1); it is not ready yet.

        Args:
            provider: As Prism spells it: `external`, `ultraviolet`, `manager`, `azure` or `gcp` (D33).
            vcpus: At least 1.
            platform: The trusted execution environment.
            name: For people.
            agent_log_level: How much the agent logs.
            idempotency_key: Lets a repeat find the first VM.

        Returns:
            The id of the record; paths take this one (D38).

        Raises:
            Rejected: The provider does not offer it.
        """
        call = self.routes.call(
            "POST",
            "cvms",
            provider,
            str(vcpus),
            platform,
            body={"name": name, "agent_log_level": agent_log_level},
        ).creating(idempotency_key)
        return id_of_created(self.routes.api.send(call), lambda: self._newest(name))

    def list(self, *, name: str | None = None, status: str | None = None) -> Iterator[CvmRecord]:
        """The VMs of the workspace, newest first; removed ones only where `status` asks for them (V2).

        Args:
            name: With this name only.
            status: `active`, `inactive`, or one exact status (D36).
        """
        return self.routes.pages(
            "cvms",
            CvmRecord.parse,
            "cvms",
            query={"name": name, "status": status},
            identity=lambda cvm: cvm.id,
        )

    def get(self, cvm_id: str) -> CvmRecord:
        """One VM; a removed one is still shown, `is_gone` (V3, D37).

        Raises:
            NotFound: There was never one.
        """
        return self.routes.get(CvmRecord.parse, "cvms", cvm_id)

    def delete(self, cvm_id: str) -> None:
        """Remove a VM and revoke its certificates; one that is gone already is fine (V4, D37).

        Raises:
            ApiConflict: A run uses it.
        """
        with suppress(NotFound):
            self.routes.api.send(self.routes.call("DELETE", "cvms", cvm_id))

    def statistics(self, cvm_id: str, *, days: int | None = None) -> tuple[CvmStatistic, ...]:
        """When a VM went up and down (V5, D24)."""
        return self.routes.get(
            lambda document: Fields(document, "statistics").items(CvmStatistic.parse, "cvm_stats"),
            "cvms",
            cvm_id,
            "statistics",
            query={"days": days},
        )

    def attestation_policy(self, cvm_id: str) -> bytes:
        """The bytes of a VM's attestation policy file, unchanged (V6, D47).

        Raises:
            NotFound: There is no such VM, or it has not been online yet.
        """
        return self.routes.get(_parse_policy, "cvms", cvm_id, "attestation_policy")

    def _newest(self, name: str) -> str | None:
        """The id of the youngest VM of a name."""
        found = [cvm for cvm in self.list(name=name) if cvm.name == name]
        age = {cvm.id: cvm.created_at.timestamp() if cvm.created_at else 0.0 for cvm in found}
        return max(age, key=age.__getitem__) if age else None


def _parse_policy(document: object) -> bytes:
    policy = Fields(document, "a policy reply").binary("attestation_policy")
    if not policy:
        # An empty policy would let everything pass.
        raise Malformed("a policy reply holds no policy")
    return policy
