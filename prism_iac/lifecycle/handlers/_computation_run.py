"""The life of a run: started once for each change of its inputs, awaited, kept as history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from prism_iac.errors import Conflict, Finding, InvalidInput, PartialResult
from prism_iac.lifecycle._context import Context, poll
from prism_iac.lifecycle._handler import Handler, Live, whereabouts
from prism_iac.model import ComputationStatus, Manifest, details_of, mark_of
from prism_iac.model.resources import ComputationRun
from prism_iac.prism import NotFound, Rejected

if TYPE_CHECKING:
    from prism_iac.prism import EventRecord, RunRecord

__all__ = ["ComputationRunHandler"]

_LOG_LINES = 10
_STOP_TIMEOUT = "2m"


class ComputationRunHandler(Handler[ComputationRun]):
    """The create carries a key made from identity and inputs, so a repeat finds the run that it had started."""

    model = ComputationRun
    replaces_by_deleting_first = True
    keeps_deleted = True
    made_again = "a run is found by the key of its create, or started"

    def create(self, desired: ComputationRun, context: Context) -> Live[ComputationRun]:
        """Start the run, or find the one that an earlier create of these inputs started; wait for its end."""
        computations = context.session.workspace(desired.workspace).computations
        try:
            run_id = computations.run(desired.computation, desired.vm, idempotency_key=_key(desired))
        except Rejected as error:
            raise _not_runnable(error, context) from error
        return _follow(run_id, desired, context)

    def read(self, live: Live[ComputationRun], context: Context) -> Live[ComputationRun] | None:
        """The run as it is; gone with its computation."""
        record = _find(live.id, live.state, context)
        return None if record is None else Live(live.id, _with_outputs(live.state, record, context))

    def recall(self, object_id: str, context: Context) -> Live[ComputationRun] | None:
        """By the id of the run; what triggered it is not known."""
        workspace, run_id = whereabouts(object_id, context)
        runs = context.session.workspace(workspace).computations.runs()
        record = next((run for run in runs if run.id == run_id), None)
        if record is None:
            return None
        nothing_known = ComputationRun(
            identity=context.identity,
            workspace=workspace,
            computation=record.computation_id,
            vm=record.cvm_id,
        )
        return Live(run_id, _with_outputs(nothing_known, record, context))

    def update(
        self, live: Live[ComputationRun], desired: ComputationRun, context: Context
    ) -> Live[ComputationRun]:
        """Go on waiting where an earlier update was cut off."""
        known = desired.with_(manifest_sha3_256=live.state.manifest_sha3_256)
        return _follow(live.id, known, context)

    def delete(self, live: Live[ComputationRun], context: Context) -> None:
        """A run that has ended is history and stays; one that is going on is stopped only when told so."""
        record = _find(live.id, live.state, context)
        if record is None or _is_final(record):
            return
        if not live.state.stop_on_delete:
            raise Conflict(
                f"run #{record.number} is going on",
                next_step=f"Wait for its end, stop it with `prism-iac computations stop {live.state.computation}`, "
                "or set stop_on_delete and update first.",
            )
        context.report(f"stopping run #{record.number}")
        context.session.workspace(live.state.workspace).computations.stop(live.state.computation)
        poll(context, lambda: _ended(live.id, live.state, context), timeout=_STOP_TIMEOUT)


def _key(desired: ComputationRun) -> str:
    triggers = json.dumps(desired.triggers, sort_keys=True)
    return mark_of(f"{desired.identity}\n{desired.computation}\n{desired.vm}\n{triggers}")


def _not_runnable(error: Rejected, context: Context) -> InvalidInput:
    missing = error.dry_run
    if missing is None:
        return InvalidInput([Finding(path=context.name, message=error.message, fix=error.next_step)])
    lines = (
        *(f"{context.session.name_of(user)} has not registered a public key" for user in missing.keys),
        *(f"the asset {asset} has no checksum or is not linked" for asset in missing.hashes),
        *missing.info,
    )
    return InvalidInput(
        Finding(path=context.name, message=line, fix="The computation cannot run before that.")
        for line in lines
    )


def _find(run_id: str, state: ComputationRun, context: Context) -> RunRecord | None:
    computations = context.session.workspace(state.workspace).computations
    try:
        return next(
            (run for run in computations.runs(computation_id=state.computation) if run.id == run_id), None
        )
    except NotFound:
        return None


def _is_final(record: RunRecord) -> bool:
    return record.status is not None and record.status.is_final


def _ended(run_id: str, state: ComputationRun, context: Context) -> RunRecord | None:
    record = _find(run_id, state, context)
    if record is None:
        raise Conflict(
            "the run is gone", next_step="Its computation was deleted; refresh and run the update again."
        )
    return record if _is_final(record) else None


def _follow(run_id: str, desired: ComputationRun, context: Context) -> Live[ComputationRun]:
    record = _find(run_id, desired, context)
    if record is None:
        raise Conflict(
            "the run is gone", next_step="Its computation was deleted; refresh and run the update again."
        )
    context.report(
        f"run #{record.number}; participants reach the agent at {record.agent_address or 'the VM'}"
    )
    if desired.wait:
        progress = _Progress(run_id, desired, context)
        ended = poll(context, progress.ended, timeout=desired.timeout)
        if ended is None:
            raise _unfinished(
                record,
                desired,
                context,
                f"run #{record.number} has not ended after {desired.timeout}",
                "Run the update again to go on waiting, or raise timeout.",
            )
        record = ended
    if record.status in (ComputationStatus.FAILED, ComputationStatus.CANCELLED):
        raise _unfinished(
            record,
            desired,
            context,
            f"run #{record.number} {record.status}{_last_lines(record, desired, context)}",
            "Change a trigger, or replace this resource, to run again.",
        )
    return Live(run_id, _with_outputs(desired, record, context))


def _unfinished(
    record: RunRecord, desired: ComputationRun, context: Context, message: str, next_step: str
) -> PartialResult:
    state = _with_outputs(desired, record, context)
    return PartialResult(message, id=record.id, state=state.properties(), next_step=next_step)


class _Progress:
    """Tells each step of a run once."""

    def __init__(self, run_id: str, desired: ComputationRun, context: Context) -> None:
        self._run_id = run_id
        self._desired = desired
        self._context = context
        self._told = ""

    def ended(self) -> RunRecord | None:
        # The record comes first: whatever ended the run is among the events by then.
        record = _ended(self._run_id, self._desired, self._context)
        computations = self._context.session.workspace(self._desired.workspace).computations
        event = computations.latest_event(self._desired.computation)
        # Until the agent tells the first step of this run, the newest one is that of the run before.
        if (
            event is not None
            and event.run_id == self._run_id
            and (step := f"{event.event_type} {event.status}") != self._told
        ):
            self._told = step
            self._context.report(step)
        return record


def _events(record: RunRecord, state: ComputationRun, context: Context) -> tuple[EventRecord, ...]:
    computations = context.session.workspace(state.workspace).computations
    return tuple(reversed(tuple(computations.events(state.computation, run_id=record.id))))


def _last_lines(record: RunRecord, state: ComputationRun, context: Context) -> str:
    computations = context.session.workspace(state.workspace).computations
    lines = []
    for entry in computations.logs(state.computation, run_id=record.id):
        lines.append(f"{entry.level} {entry.message}")
        if len(lines) == _LOG_LINES:
            break
    return "".join(f"\n  {line}" for line in reversed(lines))


def _with_outputs(state: ComputationRun, record: RunRecord, context: Context) -> ComputationRun:
    events = _events(record, state, context)
    return state.with_(
        number=record.number,
        status=record.status,
        agent_address=record.agent_address,
        manifest_sha3_256=state.manifest_sha3_256 or _manifest_digest(state, context),
        result_sha3_256=_result_digest(events),
        start_time=record.start_time.isoformat() if record.start_time else None,
        end_time=record.end_time.isoformat() if record.end_time else None,
        events=[
            {
                "event_type": event.event_type,
                "status": event.status,
                "timestamp": event.timestamp.isoformat() if event.timestamp else "",
            }
            for event in events
        ],
    )


def _manifest_digest(state: ComputationRun, context: Context) -> str | None:
    try:
        document = context.session.workspace(state.workspace).computations.manifest(state.computation)
    except (NotFound, Rejected):
        return None
    return Manifest.from_json(document).digest().hex()


def _result_digest(events: tuple[EventRecord, ...]) -> str | None:
    for event in events:
        if isinstance(digest := details_of(event.details).get("result_sha3_256"), str):
            return digest
    return None
