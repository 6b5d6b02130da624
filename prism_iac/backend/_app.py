"""The REST application: every route, the answers to errors, and the API's description."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from prism_iac._version import __version__
from prism_iac.backend import _answers
from prism_iac.backend._edge import Edge
from prism_iac.backend._permissions import RULES
from prism_iac.backend._services import Services
from prism_iac.backend.routes import (
    assets,
    certificates,
    computations,
    cvms,
    domains,
    events,
    health,
    invitations,
    ocsp,
    participants,
    roles,
    runs,
    users,
)

__all__ = ["make_api", "make_app"]


def make_app(services: Services) -> ASGIApp:
    """The whole REST side over some services."""
    api = make_api()
    api.state.services = services
    return Edge(api)


def make_api() -> FastAPI:
    """The routes; `api.state.services` must be set before the first request."""
    routes = [route for router in _routers() for route in router.routes]
    names = {route.name for route in routes if isinstance(route, APIRoute)}
    assert names == RULES.keys(), f"rules and operations differ: {names ^ RULES.keys()}"
    api = FastAPIOffline(
        title="Prism, embedded",
        version=__version__,
        description="The documented REST routes of Prism, served by prism-iac on one machine.",
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
        routes=routes,
    )
    _answers.install(api)
    api.openapi = lambda: _description(api)  # type: ignore[method-assign]  # FastAPI's documented way
    return api


def _routers() -> tuple[APIRouter, ...]:
    """The routers in the order of matching: literal segments come before parameters."""
    computation_roles = APIRouter(prefix="/computations/{domain_id}/computations", tags=["roles"])
    roles.mount_computation_roles(computation_roles)
    workspaces = APIRouter(prefix="/auth/domains", tags=["workspaces"])
    roles.mount_workspace_roles(workspaces)
    invitations.mount(workspaces)
    domains.mount(workspaces)
    return (
        health.router,
        users.router,
        runs.router,
        computation_roles,
        participants.router,
        events.router,
        computations.router,
        assets.router,
        cvms.router,
        certificates.authority_router,
        ocsp.router,
        certificates.router,
        workspaces,
        invitations.router,
    )


def _description(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        from prism_iac.backend._description import describe

        api.openapi_schema = describe(api)
    return api.openapi_schema
