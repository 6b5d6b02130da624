"""Runs (prism-rest.md section 2.3: C6 to C9, C13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from prism_iac.backend._definitions import load_definition, missing_items
from prism_iac.backend._errors import Clash, Missing, NotRunnable
from prism_iac.backend._guard import serves
from prism_iac.backend._manifests import run_request
from prism_iac.backend._runs import Signal, end_run, why_not_ready
from prism_iac.backend._scope import ComputationScope, WorkspaceScope
from prism_iac.backend.records.computations import ComputationStatistics, DayStatistics
from prism_iac.backend.records.runs import RunPage, RunRecord, run_record
from prism_iac.backend.routes.parameters import Days, PageSlice, TextFilter, since
from prism_iac.backend.store import Duplicate, assets, computations, cvms, runs
from prism_iac.backend.store.computations import Computation
from prism_iac.backend.store.cvms import Cvm
from prism_iac.backend.store.notices import Notice, Subject
from prism_iac.model import Manifest

__all__ = ["router"]

router = APIRouter(prefix="/computations/{domain_id}/computations", tags=["runs"])


def _same_run(_scope: ComputationScope, run_id: str) -> str:
    return run_id


@serves(router, "POST", "/{computation_id}/run", errors=(Clash, Missing, NotRunnable), replay=_same_run)
def run_computation(
    scope: ComputationScope, cvm: Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
) -> str:
    """Run a computation on a CVM; gives the run's id."""
    found = cvms.find(scope.session, scope.workspace.id, cvm)
    if found is None:
        raise Missing(f'there is no CVM "{cvm}" in this workspace')
    machine = cvms.lock(scope.session, found.id)
    computation = computations.lock(scope.session, scope.computation)
    manifest = _complete_manifest(scope, computation)
    _require_both_free(scope.session, computation, machine)
    try:
        run = runs.add(
            scope.session,
            computation,
            machine,
            manifest=manifest.canonical_bytes().decode(),
            request=run_request(manifest, computation, default_log_level=machine.agent_log_level),
            now=scope.now,
        )
    except Duplicate as error:
        raise Clash("the computation or the CVM was given a run at the same time") from error
    scope.tell_agents(Notice(Subject.CVM_HAS_NEWS, machine.id))
    return run.id


def _complete_manifest(scope: ComputationScope, computation: Computation) -> Manifest:
    definition = load_definition(scope.session, computation)
    owned = assets.owned_by(scope.session, scope.workspace.id, definition.providers())
    missing = missing_items(definition, owned).model_dump()
    manifest = definition.manifest()
    if manifest is None or any(missing.values()):
        raise NotRunnable(
            "the computation lacks something that a run needs",
            missing_items=missing,
            next_step="See missing_items.",
        )
    return manifest


def _require_both_free(session: Session, computation: Computation, machine: Cvm) -> None:
    going_on = runs.active_of_computation(session, computation.id)
    if going_on is not None:
        raise Clash(
            f"the computation runs already (run {going_on.number})",
            next_step="Wait for the end of the run, or stop it.",
        )
    reason = why_not_ready(machine, is_busy=runs.active_of_cvm(session, machine.id) is not None)
    if reason:
        raise Clash(f'the CVM "{machine.name}" is not ready: {reason}', next_step="Wait, or take another.")


@serves(router, "GET", "/runs")
def list_runs(
    scope: WorkspaceScope,
    wanted: PageSlice,
    computation_id: TextFilter = None,
    status: TextFilter = None,
) -> RunPage:
    """List the runs in the workspace, newest first."""
    page = runs.page(scope.session, scope.workspace.id, wanted, computation_id=computation_id, status=status)
    return RunPage(runs=[run_record(run) for run in page.rows], total=page.total, **wanted._asdict())


@serves(router, "GET", "/statistics")
def get_computation_statistics(scope: WorkspaceScope, days: Days = 7) -> ComputationStatistics:
    """How many runs began on each day, by status."""
    counts = runs.counts_by_day(scope.session, scope.workspace.id, since=since(days, now=scope.now))
    return ComputationStatistics(
        comp_stats=[DayStatistics(day=day, status=status, count=count) for day, status, count in counts]
    )


@serves(router, "GET", "/{computation_id}/run", errors=(Missing,))
def get_latest_run(scope: ComputationScope) -> RunRecord:
    """The latest run of a computation."""
    run = runs.latest_of_computation(scope.session, scope.computation.id)
    if run is None:
        raise Missing("the computation has not been run")
    return run_record(run)


def stop_computation(scope: ComputationScope) -> None:
    """Stop the run that goes on (D20)."""
    run = runs.active_of_computation(scope.session, scope.computation.id)
    if run is not None:
        # Another request, or the agent, may end it before it is held here.
        cvms.lock(scope.session, run.cvm_id)
        computations.lock(scope.session, scope.computation)
        run = runs.active_of_computation(scope.session, scope.computation.id)
    if run is None:
        raise Clash("the computation does not run")
    end_run(scope.session, run, Signal.STOPPED, now=scope.now)
    scope.tell_agents(Notice(Subject.CVM_HAS_NEWS, run.cvm_id))


for _method in ("GET", "POST"):
    serves(router, _method, "/{computation_id}/stop", errors=(Clash,), writes=True)(stop_computation)
