"""What follows from a change, kind by kind: who has to act, what is lost, how long it takes, what it costs.

Told from state and desired inputs alone. Source of what Prism does at a change: prism-rest.md sections 4.3 and 4.4,
D16, D17, D31, D37 and D40; of what an agent keeps: cocos-grpc.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from prism_iac.lifecycle import Step, due_under_both
from prism_iac.model import AGENT_TLS_FIELDS, Change, ComputationStatus
from prism_iac.model.resources import CertificateBundle
from prism_iac.plan._graph import Graph, said
from prism_iac.plan._plan import Consequence, Effect, FieldChange, Impact
from prism_iac.plan._preview import Resource, plain

__all__ = ["Changed", "consequences"]

_IN_THE_MANIFEST: Final = frozenset({"name", "description", "algorithm", "datasets", "result_consumers"})
"""The inputs of a computation that its manifest repeats (D26)."""

_IN_NO_CERTIFICATE: Final = frozenset({"renew_before", "keys_on_renewal"})
_GOES: Final = frozenset({Effect.REPLACE, Effect.DELETE})
_STARTS: Final = frozenset({Effect.CREATE, Effect.REPLACE})


@dataclass(frozen=True, slots=True)
class Changed:
    """A resource that changes.

    Attributes:
        fields: What differs, innermost.
        is_due: Whether time alone asks for it.
        now: The time that the plan is for.
    """

    resource: Resource
    effect: Effect
    fields: tuple[FieldChange, ...]
    is_due: bool
    now: datetime

    @property
    def inputs(self) -> frozenset[str]:
        """The inputs that differ, by name."""
        return frozenset(item.path.partition(".")[0].partition("[")[0] for item in self.fields)

    @property
    def is_frozen(self) -> bool:
        """Whether something differs that stays as it is while a run is going on."""
        return any(item.rule is Change.FROZEN for item in self.fields)

    def state(self, name: str) -> Any:
        """A property as it was recorded."""
        return plain((self.resource.state or {}).get(name))


def consequences(changed: Changed, graph: Graph) -> tuple[Consequence, ...]:
    """What follows, the gravest first."""
    tell = _OF_KIND.get(changed.resource.kind)
    found = tell(changed, graph) if tell is not None and changed.resource.is_ours else ()
    order = list(Impact)
    return tuple(sorted(found, key=lambda item: order.index(item.impact)))


def _of_computation(changed: Changed, graph: Graph) -> Iterator[Consequence]:
    resource = changed.resource
    participants = graph.participants_of(resource)
    if changed.effect in _GOES:
        yield _one(Impact.LOST, "Its runs with their events and logs, its roles and its keys go with it.")
        if changed.state("status") == ComputationStatus.RUNNING:
            yield _of_running(changed, "delete")
        if changed.effect is Effect.DELETE:
            return
        yield _one(Impact.APPROVAL, "It gets another id, so its manifest is another one.", participants)
    elif changed.effect is Effect.UPDATE:
        yield from _of_updated_computation(changed, participants)
    before, after = _consumers(resource.state), _consumers(resource.new)
    if changed.effect is not Effect.CREATE and "result_consumers" in changed.inputs:
        if gained := tuple(sorted(after - before)):
            yield _one(Impact.ACCESS, "May fetch the result from then on.", gained)
        if lost := tuple(sorted(before - after)):
            yield _one(Impact.ACCESS, "May not fetch the result any more.", lost)


def _of_updated_computation(changed: Changed, participants: tuple[str, ...]) -> Iterator[Consequence]:
    if _IN_THE_MANIFEST & changed.inputs:
        yield _one(Impact.APPROVAL, "The manifest changes: who agreed to it looks at it again.", participants)
    if any(item.path in ("agent.tls", "agent.attested_tls") for item in changed.fields if not item.is_open):
        yield _one(Impact.FETCH, "The TLS mode changes: the agent is reached with other files.", participants)
    if changed.is_frozen and changed.state("status") == ComputationStatus.RUNNING:
        frozen = {item.path for item in changed.fields if item.rule is Change.FROZEN}
        if frozen <= {f"agent.{name}" for name in AGENT_TLS_FIELDS}:
            yield _one(
                Impact.TIME, "A run is going on and keeps its certificates; an update after its end does it."
            )
        else:
            yield _one(Impact.REFUSED, "A run is going on: what is frozen is refused until it ends.")


def _of_asset(changed: Changed, graph: Graph) -> Iterator[Consequence]:
    if changed.effect is Effect.CREATE:
        return
    computations = list(graph.computations_with(changed.resource))
    is_other = bool({"checksum", "file_name", "source"} & changed.inputs)
    if changed.effect is Effect.REPLACE or is_other:
        yield _next_supply(changed)
        for computation in computations:
            yield _one(
                Impact.APPROVAL,
                f"The manifest of {computation.name} changes: who agreed to it looks at it again.",
                graph.participants_of(computation),
            )
    if changed.is_frozen or changed.effect in _GOES:
        for computation in computations:
            if plain((computation.state or {}).get("status")) == ComputationStatus.RUNNING:
                yield _one(
                    Impact.REFUSED, f"A run of {computation.name} is going on: it is refused until that ends."
                )


def _next_supply(changed: Changed) -> Consequence:
    if said(changed.resource, "source"):
        return _one(Impact.FETCH, "The agent of the next run fetches it itself: nobody uploads it.")
    provider = said(changed.resource, "provider")
    is_theirs = "source" in changed.inputs
    return _one(
        Impact.UPLOAD,
        "The next run waits for its upload." if is_theirs else "The next run takes the new content only.",
        [provider] if provider else [],
    )


def _of_run(changed: Changed, graph: Graph) -> Iterator[Consequence]:
    computations = list(graph.used_by(changed.resource, "computation"))
    if changed.effect in _GOES:
        if changed.state("status") == ComputationStatus.RUNNING:
            yield _of_running(changed, "replacement" if changed.effect is Effect.REPLACE else "delete")
        elif changed.effect is Effect.REPLACE:
            yield from _lost_result(changed.resource, graph, "when the next run starts")
    if changed.effect not in _STARTS:
        return
    for computation in computations:
        yield _supply_of(computation, graph)
        if consumers := said(computation, "result_consumers"):
            yield _one(Impact.FETCH, "The result is theirs to fetch when the run has ended.", consumers)
    if said(changed.resource, "wait"):
        took = _minutes(changed.state("start_time"), changed.state("end_time"))
        before = f"; the one before took {took}" if took else ""
        yield _one(
            Impact.TIME,
            f"The update waits for the end of the run, {said(changed.resource, 'timeout')} at most{before}.",
        )


def _supply_of(computation: Resource, graph: Graph) -> Consequence:
    """What a run that starts waits for."""
    uploaders = graph.uploaders_of(computation)
    are_fetched = [bool(said(asset, "source")) for asset in graph.assets_of(computation)]
    if are_fetched and all(are_fetched):
        return _one(
            Impact.FETCH, "A run starts, and its agent fetches the algorithm and the datasets itself."
        )
    waits = "what its agent does not fetch itself" if any(are_fetched) else "the algorithm and the datasets"
    return _one(Impact.UPLOAD, f"A run starts and waits for {waits}.", uploaders)


def _of_vm(changed: Changed, graph: Graph) -> Iterator[Consequence]:
    runs = list(graph.users_of(changed.resource, "ComputationRun", "vm"))
    if changed.effect in _GOES:
        for run in runs:
            yield from _lost_result(run, graph, "with the VM")
        if cost := changed.state("monthly_cost_estimate"):
            yield _one(Impact.COST, f"The VM that goes costs {cost} a month.")
    if changed.effect is Effect.REPLACE:
        computations = [item for run in runs for item in graph.used_by(run, "computation")]
        people = dict.fromkeys(user for item in computations for user in graph.participants_of(item))
        yield _one(
            Impact.REPLACED,
            "Another VM with another address and other evidence takes its place: who sends something there verifies it anew.",
            people,
        )
    if changed.effect in _STARTS:
        wait = said(changed.resource, "ready_timeout")
        yield _one(Impact.TIME, f"The update waits until the VM is ready, {wait} at most.")


def _of_bundle(changed: Changed, graph: Graph) -> Iterator[Consequence]:
    if changed.effect is Effect.CREATE or not (_issues(changed) or changed.effect in _GOES):
        return
    computations = list(graph.users_of(changed.resource, "Computation", "agent"))
    people = dict.fromkeys(user for item in computations for user in graph.participants_of(item))
    if changed.effect in _GOES:
        yield _one(Impact.LOST, "The keys go, the CA's with them: nothing that it signed can be renewed.")
    if changed.effect is not Effect.DELETE:
        yield _one(Impact.REPLACED, "Certificates change, and agents get the new ones for their next run.")
        yield _one(
            Impact.FETCH, "Who connects fetches the new files, with `prism-iac env` for example.", people
        )


def _issues(changed: Changed) -> bool:
    if changed.inputs - _IN_NO_CERTIFICATE:
        return True
    state = CertificateBundle.parse(plain(changed.resource.state or {}))
    window = (changed.resource.new or {}).get("renew_before", state.renew_before)
    step = due_under_both(state, state.with_(renew_before=window), changed.now)
    # What Prism asks for is no step of time.
    return step is not Step.RETIRE_CA if changed.is_due else step not in (None, Step.RETIRE_CA)


def _of_key(changed: Changed, _graph: Graph) -> Iterator[Consequence]:
    user = said(changed.resource, "user")
    people = [user] if user else []
    if changed.effect is Effect.DELETE:
        yield _one(Impact.LOST, "No run can start without this key.", people)
    elif changed.effect is not Effect.CREATE:
        yield _one(Impact.ACCESS, "The next run knows them by this key alone.", people)


def _of_participant(changed: Changed, _graph: Graph) -> Iterator[Consequence]:
    held, wanted = (
        {*(plain(bag or {}).get("actions") or ())} for bag in (changed.resource.state, changed.resource.new)
    )
    user = said(changed.resource, "user")
    people = [user] if isinstance(user, str) else []
    if gained := sorted(map(str, wanted - held)):
        yield _one(Impact.ACCESS, f"May from then on: {', '.join(gained)}.", people)
    if lost := sorted(map(str, held - wanted)):
        yield _one(Impact.ACCESS, f"May not any more: {', '.join(lost)}.", people)


def _of_policy(changed: Changed, _graph: Graph) -> Iterator[Consequence]:
    if changed.effect in (Effect.UPDATE, Effect.REPLACE) and changed.inputs - {
        "approvals",
        "requires_approval",
    }:
        yield _one(Impact.FETCH, "Who verifies evidence takes the new policy file before they send anything.")
    if changed.effect is Effect.DELETE:
        yield _one(Impact.LOST, "The policy file goes: nobody here says any more what evidence must show.")


_OF_KIND: Final[dict[str, Callable[[Changed, Graph], Iterable[Consequence]]]] = {
    "Computation": _of_computation,
    "Asset": _of_asset,
    "ComputationRun": _of_run,
    "ConfidentialVM": _of_vm,
    "CertificateBundle": _of_bundle,
    "PublicKey": _of_key,
    "Participant": _of_participant,
    "AttestationPolicy": _of_policy,
}


def _one(impact: Impact, text: str, who: Iterable[str] = ()) -> Consequence:
    return Consequence(impact=impact, text=text, who=tuple(who))


def _of_running(changed: Changed, what: str) -> Consequence:
    # What is recorded counts: that is what the delete is told.
    if changed.state("stop_on_delete"):
        return _one(Impact.LOST, "The run that is going on is stopped.")
    return _one(Impact.REFUSED, f"A run is going on: the {what} is refused until it ends.")


def _lost_result(run: Resource, graph: Graph, when: str) -> Iterator[Consequence]:
    state = plain(run.state or {})
    if state.get("status") != ComputationStatus.COMPLETED:
        return
    for computation in graph.used_by(run, "computation"):
        number = f"run #{state['number']}" if state.get("number") else "the run"
        yield _one(
            Impact.LOST,
            f"The result of {number} of {computation.name} goes {when}: fetch it before, if it is still wanted.",
            said(computation, "result_consumers") or (),
        )


def _consumers(bag: Any) -> set[str]:
    return {user for user in plain(bag or {}).get("result_consumers") or () if isinstance(user, str)}


def _minutes(begin: Any, end: Any) -> str:
    if not (isinstance(begin, str) and isinstance(end, str)):
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    return f"{round(seconds / 60)} min" if seconds >= 60 else "less than a minute"  # noqa: PLR2004  # a minute
