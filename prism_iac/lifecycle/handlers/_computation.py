"""The life of a computation: its record, the roles and links that its definition asks for, its end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prism_iac.errors import Conflict, PartialResult, PrismError
from prism_iac.lifecycle._context import Context, poll
from prism_iac.lifecycle._handler import Handler, Live, whereabouts
from prism_iac.lifecycle._identity import up_to
from prism_iac.lifecycle.handlers._agent_config import (
    agent_from_wire,
    agent_to_wire,
    differs_in_certificates,
    is_same_agent,
)
from prism_iac.lifecycle.handlers._parts import assign_parts, frozen, parts_of
from prism_iac.model import ComputationStatus, Manifest, mark_of, marked, unmarked, words_of
from prism_iac.model.resources import Computation
from prism_iac.prism import AlreadyExists, NotFound, Rejected

if TYPE_CHECKING:
    from prism_iac.prism import ComputationRecord

__all__ = ["ComputationHandler"]

_STOP_TIMEOUT = "2m"


class ComputationHandler(Handler[Computation]):
    """Creates and updates are one function: bring record, roles and links to what is desired."""

    model = Computation
    replaces_by_deleting_first = True

    def create(self, desired: Computation, context: Context) -> Live[Computation]:
        """Find the record that carries our mark, or make it; then roles and links."""
        record = context.session.snapshot(desired.workspace).computations.find(desired.name)
        if record is None:
            return _converge(_make(desired, context), desired, context, is_new=True)
        # A replacement that was asked for and cut off has made one under an earlier generation; the old one is gone.
        if not any(_is_marked(record, identity) for identity in up_to(desired.identity)):
            raise _name_is_taken(
                desired, f" It has the id {record.id} and belongs to the user {record.owner}."
            )
        return _converge(record, desired, context)

    def find(self, desired: Computation, context: Context) -> Live[Computation] | None:
        """By the name, which only one has, and the mark."""
        record = context.session.snapshot(desired.workspace).computations.find(desired.name)
        if record is None or not _is_marked(record, desired.identity):
            return None
        return self.read(Live(record.id, desired), context)

    def read(self, live: Live[Computation], context: Context) -> Live[Computation] | None:
        """The record, the links and the roles as they are."""
        record = context.session.snapshot(live.state.workspace).computations.get(live.id)
        return None if record is None else Live(live.id, _actual(record, live.state, context))

    def recall(self, object_id: str, context: Context) -> Live[Computation] | None:
        """By the id of the record; where a delete writes its export has the default."""
        workspace, computation_id = whereabouts(object_id, context)
        record = context.session.snapshot(workspace).computations.get(computation_id)
        if record is None:
            return None
        nothing_known = Computation(
            identity=context.identity, workspace=workspace, name=record.name, description=record.name
        )
        return Live(record.id, _actual(record, nothing_known, context))

    def update(self, live: Live[Computation], desired: Computation, context: Context) -> Live[Computation]:
        """Bring record, roles and links to what is desired; certificates wait for the end of a run."""
        record = context.session.workspace(desired.workspace).computations.get(live.id)
        is_running = record.status is ComputationStatus.RUNNING
        if is_running and differs_in_certificates(record.agent_config, agent_to_wire(desired.agent)):
            context.report(
                "a run is going on and keeps the certificates that it began with; "
                "the first update after its end takes the new ones"
            )
            # State says what Prism has, so that the next preview shows what is left to do.
            desired = desired.with_(agent=agent_from_wire(record.agent_config, live.state.agent))
        return _converge(record, desired, context)

    def delete(self, live: Live[Computation], context: Context) -> None:
        """Write the definition to a file, then remove the computation with its runs, roles and links."""
        computations = context.session.workspace(live.state.workspace).computations
        try:
            record = computations.get(live.id)
        except NotFound:
            return
        if record.status is ComputationStatus.RUNNING:
            _stop(live, context)
        _export(live)
        computations.delete(live.id)
        context.session.snapshot(live.state.workspace).computations.drop(live.id)


def _is_marked(record: ComputationRecord, identity: str) -> bool:
    return unmarked(record.description)[1] == mark_of(identity)


def _make(desired: Computation, context: Context) -> ComputationRecord:
    from prism_iac.prism import ComputationRecord

    agent = agent_to_wire(desired.agent)
    description = marked(desired.description, desired.identity)
    try:
        computation_id = context.session.workspace(desired.workspace).computations.create(
            name=desired.name,
            description=description,
            agent_config=agent,
            idempotency_key=mark_of(desired.identity),
        )
    except AlreadyExists as error:
        raise _name_is_taken(desired) from error
    # What a create makes is known without asking for it.
    record = ComputationRecord(
        id=computation_id,
        name=desired.name,
        description=description,
        owner=context.session.platform_user.id,
        status=ComputationStatus.EXECUTABLE,
        created_at=None,
        start_time=None,
        end_time=None,
        agent_config=agent,
    )
    context.session.snapshot(desired.workspace).computations.put(record)
    return record


def _name_is_taken(desired: Computation, detail: str = "") -> Conflict:
    return Conflict(
        f'another computation of the workspace is named "{desired.name}".{detail}',
        next_step="Choose another name, or delete the other one first.",
    )


def _converge(
    record: ComputationRecord, desired: Computation, context: Context, *, is_new: bool = False
) -> Live[Computation]:
    try:
        record = _update_record(record, desired, context)
        assign_parts(record, desired, context, is_new=is_new)
        state = _with_outputs(desired, record, context)
    except PrismError as error:
        raise PartialResult(
            error.message,
            id=record.id,
            state=desired.properties(),
            where=error.where,
            next_step=error.next_step,
        ) from error
    return Live(record.id, state)


def _update_record(record: ComputationRecord, desired: Computation, context: Context) -> ComputationRecord:
    wanted = replace(
        record,
        name=desired.name,
        description=marked(desired.description, desired.identity),
        agent_config=agent_to_wire(desired.agent),
    )
    same_agent = is_same_agent(record.agent_config, wanted.agent_config)
    if same_agent and (record.name, record.description) == (wanted.name, wanted.description):
        return record
    if not same_agent and record.status is ComputationStatus.RUNNING:
        raise frozen(record, "the agent configuration")
    context.session.workspace(desired.workspace).computations.update(
        record.id, name=wanted.name, description=wanted.description, agent_config=wanted.agent_config
    )
    context.session.snapshot(desired.workspace).computations.put(wanted)
    return wanted


def _with_outputs(state: Computation, record: ComputationRecord, context: Context) -> Computation:
    manifest = _manifest(record, context, state.workspace) if state.algorithm else None
    return state.with_(
        owner=record.owner,
        status=record.status,
        manifest=manifest.canonical_bytes().decode() if manifest else None,
        manifest_sha3_256=manifest.digest().hex() if manifest else None,
    )


def _manifest(record: ComputationRecord, context: Context, workspace: str) -> Manifest | None:
    try:
        document = record.manifest or context.session.workspace(workspace).computations.manifest(record.id)
        return Manifest.from_json(document)
    except Rejected:
        # Prism has no manifest before an algorithm is linked.
        return None


def _actual(record: ComputationRecord, state: Computation, context: Context) -> Computation:
    if record.agent_config is None:
        record = context.session.workspace(state.workspace).computations.get(record.id)
    parts = parts_of(record, state, context)
    seen = state.with_(
        name=record.name,
        description=words_of(record.description),
        agent=agent_from_wire(record.agent_config, state.agent),
        algorithm=parts.algorithm,
        datasets=parts.datasets,
        result_consumers=parts.result_consumers,
    )
    return _with_outputs(seen, record, context)


def _stop(live: Live[Computation], context: Context) -> None:
    if not live.state.stop_on_delete:
        raise Conflict(
            "a run is going on",
            where=f'computation "{live.state.name}"',
            next_step=f"Wait for its end, stop it with `prism-iac computations stop {live.id}`, "
            "or set stop_on_delete and update first.",
        )
    computations = context.session.workspace(live.state.workspace).computations
    context.report("stopping the run that is going on")
    computations.stop(live.id)
    poll(
        context,
        lambda: computations.get(live.id).status is not ComputationStatus.RUNNING or None,
        timeout=_STOP_TIMEOUT,
    )


def _export(live: Live[Computation]) -> None:
    folder = Path(live.state.export_directory)
    folder.mkdir(parents=True, exist_ok=True)
    document = {"id": live.id, **live.state.properties()}
    document["agent"] = {name: value for name, value in document["agent"].items() if name != "server_key"}
    path = folder / f"{live.state.name.replace('/', '_')}-{live.id}.json"
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
