"""Serves one kind of resource to the engine, in the plugin process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from prism_iac.lifecycle import HANDLERS, Context, Handler, Live, check, diff
from prism_iac.provider._call import Call, widen_worker_pool
from prism_iac.provider._deployment import Deployment, deployment_for
from prism_iac.provider._guard import guarded
from prism_iac.provider._properties import from_engine, to_engine

__all__ = ["Service"]

_WORKERS = 128


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of resource within one deployment."""

    kind: str
    handler: Handler[Any]
    deployment: Deployment

    @classmethod
    @guarded
    def of(cls, kind: str, config: Config) -> Service:
        """The service of a kind under a configuration."""
        widen_worker_pool(_WORKERS)
        return cls(kind, HANDLERS[kind], deployment_for(config))

    @guarded
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Canonical inputs, or every finding as a failure."""
        wanted = from_engine(news)
        recorded = from_engine(olds)
        identity = self.deployment.generations.identity(wanted["identity"], recorded)
        try:
            inputs = check(self.handler, wanted, self._context(identity), recorded=recorded)
        except InvalidInput as error:
            # An empty property: the engine would print the value of a named one, secrets included.
            return CheckResult(news, [CheckFailure("", str(finding)) for finding in error.findings])
        return CheckResult(to_engine(inputs), [])

    @guarded
    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """What a change does; the engine itself words it, but for a change that time alone asks for."""
        state = from_engine(olds)
        self.deployment.generations.note(state["identity"])
        context = self._context(state["identity"])
        inputs = from_engine(news)
        difference = diff(self.handler, state, inputs, context)
        left = self._left_undone(difference.changed, inputs)
        if reason := difference.due or left:
            context.report(reason)
        is_worded_by_engine = difference.changed and not left
        return DiffResult(
            changes=None if is_worded_by_engine else reason is not None,
            replaces=list(difference.replaces),
            delete_before_replace=self.handler.replaces_by_deleting_first,
        )

    @guarded
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the object."""
        inputs = from_engine(props)
        self.deployment.session.allow_start()
        if self.handler.keeps_deleted:
            inputs["identity"] = self.deployment.generations.unused(inputs["identity"])
        live = self.handler.create(self.handler.model.parse(inputs), self._context(inputs["identity"]))
        self.deployment.made.add(live.id)
        return CreateResult(live.id, to_engine(live.state.properties()))

    @guarded
    def read(self, object_id: str, props: dict[str, Any]) -> ReadResult:
        """The actual state and the inputs that would lead to it; empty when the object is gone."""
        state = from_engine(props)
        live = self.handler.read(self._live(object_id, state), self._context(state["identity"]))
        if live is None:
            return ReadResult("", {})
        inputs = live.state.inputs()
        if (call := Call.current()) and (kept := call.old_inputs.get("identity")):
            # That of the outputs is a later one after a replacement that a user asked for; no drift.
            inputs["identity"] = kept
        return ReadResult(live.id, to_engine(live.state.properties()), to_engine(inputs))

    @guarded
    def update(self, object_id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Bring the object to the desired state in place."""
        inputs = from_engine(news)
        self.deployment.session.allow_start()
        desired = self.handler.model.parse(inputs)
        live = self.handler.update(
            self._live(object_id, from_engine(olds)), desired, self._context(inputs["identity"])
        )
        return UpdateResult(to_engine(live.state.properties()))

    @guarded
    def delete(self, object_id: str, props: dict[str, Any]) -> None:
        """Remove the object."""
        if object_id in self.deployment.made:
            # A forced replacement took the object over; its old half must not remove it.
            return
        state = from_engine(props)
        self.deployment.session.allow_start()
        self.handler.delete(self._live(object_id, state), self._context(state["identity"]))
        self.deployment.generations.retire(state["identity"])

    def _left_undone(self, changed: Sequence[str], inputs: Mapping[str, Any]) -> str | None:
        """What the last update left undone, as the plan shows it: the engine sees no change of inputs there."""
        call = Call.current()
        recorded = from_engine(call.old_inputs) if call else {}
        if not recorded or not changed or any(recorded.get(name) != inputs.get(name) for name in changed):
            return None
        return f"{', '.join(changed)} left to update: the last update could not"

    def _live(self, object_id: str, state: Mapping[str, Any]) -> Live[Any]:
        return Live(object_id, self.handler.model.parse(state))

    def _context(self, identity: str) -> Context:
        call = Call.current()
        return self.deployment.context(call.name if call else self.kind, identity)
