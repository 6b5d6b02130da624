"""The computation that checks look at, with what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from prism_iac.cli._agent import Agent
from prism_iac.cli._prism import Prism

if TYPE_CHECKING:
    from prism_iac.model import AssetKind, TlsMode
    from prism_iac.prism import (
        AssetRecord,
        ComputationRecord,
        CvmRecord,
        DryRun,
        EventRecord,
        LogRecord,
        RoleRecord,
        RunRecord,
    )

__all__ = ["Subject"]


@dataclass(frozen=True)
class Subject:
    """A computation; each part of it is read from Prism once, when a check asks for it.

    Attributes:
        agent: How its agent is reached, and what its evidence must say.
        now: The time, aware.
    """

    prism: Prism
    record: ComputationRecord
    agent: Agent
    now: datetime
    _names: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def tls_mode(self) -> TlsMode | None:
        """What the files of the agent mean; None when they mean nothing."""
        return self.record.agent_config.tls_mode if self.record.agent_config else None

    @cached_property
    def missing(self) -> DryRun:
        """What a run would miss."""
        return self.prism.workspace.computations.dry_run(self.record.id)

    @cached_property
    def roles(self) -> list[RoleRecord]:
        """Its roles with their members."""
        return list(self.prism.workspace.roles.list(self.record.id))

    @cached_property
    def assets(self) -> list[AssetRecord]:
        """The assets that are linked to it."""
        listed = self.prism.workspace.assets.list()
        return [asset for asset in listed if self.record.id in asset.computations]

    @cached_property
    def run(self) -> RunRecord | None:
        """The latest run."""
        return self.prism.workspace.computations.latest_run(self.record.id)

    @property
    def current_run(self) -> RunRecord | None:
        """The run that is going on."""
        return self.run if self.run is not None and self.run.status == "running" else None

    @cached_property
    def vms(self) -> list[CvmRecord]:
        """The VMs of the workspace."""
        return list(self.prism.workspace.cvms.list())

    @cached_property
    def vm(self) -> CvmRecord | None:
        """The VM of the latest run, also when it was removed."""
        return self.prism.workspace.cvms.get(self.run.cvm_id) if self.run and self.run.cvm_id else None

    @cached_property
    def events(self) -> list[EventRecord]:
        """The steps of the latest run, newest first."""
        if self.run is None:
            return []
        return list(self.prism.workspace.computations.events(self.record.id, run_id=self.run.id))

    @cached_property
    def logs(self) -> list[LogRecord]:
        """What the agent logged in the latest run, newest first."""
        if self.run is None:
            return []
        return list(self.prism.workspace.computations.logs(self.record.id, run_id=self.run.id))

    def assets_of(self, kind: AssetKind) -> list[AssetRecord]:
        """The linked assets of a kind."""
        return [asset for asset in self.assets if asset.asset_type is kind]

    def name_of(self, user_id: str) -> str:
        """A user as people know one; the id where it cannot be read."""
        from prism_iac.prism import NotFound, PermissionDenied

        if user_id not in self._names:
            try:
                user = self.prism.client.users.get(user_id)
                self._names[user_id] = user.email or user.username
            except (NotFound, PermissionDenied):
                self._names[user_id] = user_id
        return self._names[user_id]
