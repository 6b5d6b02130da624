"""Whether the server lives and is ready."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from prism_iac._version import __version__
from prism_iac.backend._errors import NotReady
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import Scope
from prism_iac.backend.records.fields import Record

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Health(Record):
    """That the server lives."""

    status: Literal["pass"] = "pass"
    version: str = __version__


@serves(router, "GET", "/health")
@serves(router, "GET", "/computations/health", name="computations_health")
@serves(router, "GET", "/users/health", name="users_health")
def health(_scope: Scope) -> Health:
    """Whether the server lives."""
    return Health()


@serves(router, "GET", "/ready")
def ready(scope: Scope) -> Health:
    """Whether the database answers and agents can connect."""
    services = scope.services
    if not services.database.answers() or not services.agents.is_serving():
        raise NotReady("the database or the control stream does not answer")
    return Health()
