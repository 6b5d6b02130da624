"""Events and logs of computations (prism-rest.md section 2.7, D56)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from prism_iac.backend._errors import Missing
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import ComputationScope
from prism_iac.backend.records.runs import (
    EventPage,
    EventRecord,
    LogPage,
    event_record,
    log_record,
)
from prism_iac.backend.routes.parameters import Moment, PageSlice, TextFilter
from prism_iac.backend.store import events
from prism_iac.backend.store.events import TimeFilter

__all__ = ["router"]

router = APIRouter(prefix="/computations/{domain_id}/computations/{computation_id}", tags=["events"])


async def _time_filter(
    begin: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    run_id: TextFilter = None,
) -> TimeFilter:
    return TimeFilter(run_id=run_id, begin=begin, end=end)


_Times = Annotated[TimeFilter, Depends(_time_filter)]


@serves(router, "GET", "/events")
def list_events(
    scope: ComputationScope, wanted: PageSlice, times: _Times, status: TextFilter = None
) -> EventPage:
    """List what happened in the runs, newest first."""
    page = events.page_of_events(scope.session, scope.computation.id, wanted, times, status=status)
    return EventPage(
        events=[event_record(event) for event in page.rows], total=page.total, **wanted._asdict()
    )


@serves(router, "GET", "/status", errors=(Missing,))
def get_latest_event(scope: ComputationScope) -> EventRecord:
    """The latest event."""
    event = events.latest_event(scope.session, scope.computation.id)
    if event is None:
        raise Missing("nothing has happened yet")
    return event_record(event)


@serves(router, "GET", "/logs")
def list_logs(
    scope: ComputationScope,
    wanted: PageSlice,
    times: _Times,
    *,
    level: TextFilter = None,
    message: TextFilter = None,
) -> LogPage:
    """List what the agents logged, newest first."""
    page = events.page_of_logs(
        scope.session,
        scope.computation.id,
        wanted,
        times,
        level=level.lower() if level is not None else None,
        message=message,
    )
    return LogPage(logs=[log_record(log) for log in page.rows], total=page.total, **wanted._asdict())
