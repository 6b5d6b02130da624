"""Serves one kind of resource to the engine's dynamic provider, in the plugin process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    Config,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from prism_iac.errors import InvalidInput
from prism_iac.provider._call import Call, widen_worker_pool
from prism_iac.provider._deployment import deployment_for
from prism_iac.provider._guard import guarded
from prism_iac.provider._properties import from_engine, to_engine
from prism_iac.provider._service import Service

__all__ = ["DynamicService"]

_WORKERS = 128


@dataclass(frozen=True, slots=True)
class DynamicService:
    """One kind of resource within one deployment."""

    kind: str
    service: Service

    @classmethod
    @guarded
    def of(cls, kind: str, config: Config) -> DynamicService:
        """The service of a kind under a configuration."""
        widen_worker_pool(_WORKERS)
        return cls(kind, Service.of(kind, deployment_for(config)))

    @guarded
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Canonical inputs, or every finding as a failure."""
        try:
            inputs = self.service.check(self._name(), from_engine(news), from_engine(olds))
        except InvalidInput as error:
            # An empty property: the engine would print the value of a named one, secrets included.
            return CheckResult(news, [CheckFailure("", str(finding)) for finding in error.findings])
        return CheckResult(to_engine(inputs), [])

    @guarded
    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """What a change does; the engine itself words it, but for a change that inputs do not tell of."""
        difference, is_told_by_inputs = self.service.diff(
            self._name(), from_engine(olds), from_engine(news), _recorded_inputs()
        )
        is_worded_by_engine = difference.changed and is_told_by_inputs
        return DiffResult(
            changes=None if is_worded_by_engine else not is_told_by_inputs,
            replaces=list(difference.replaces),
            delete_before_replace=self.service.handler.replaces_by_deleting_first,
        )

    @guarded
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the object."""
        made = self.service.create(self._name(), from_engine(props))
        return CreateResult(made.id, to_engine(made.properties))

    @guarded
    def read(self, object_id: str, props: dict[str, Any]) -> ReadResult:
        """The actual state and the inputs that would lead to it; empty when the object is gone."""
        actual = self.service.read(self._name(), object_id, from_engine(props), _recorded_inputs())
        if actual is None:
            return ReadResult("", {})
        return ReadResult(actual.id, to_engine(actual.properties), to_engine(actual.inputs))

    @guarded
    def update(self, object_id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Bring the object to the desired state in place."""
        updated = self.service.update(self._name(), object_id, from_engine(olds), from_engine(news))
        return UpdateResult(to_engine(updated.properties))

    @guarded
    def delete(self, object_id: str, props: dict[str, Any]) -> None:
        """Remove the object."""
        self.service.delete(self._name(), object_id, from_engine(props))

    def _name(self) -> str:
        call = Call.current()
        return call.name if call else self.kind


def _recorded_inputs() -> Mapping[str, Any]:
    call = Call.current()
    return from_engine(call.old_inputs) if call else {}
