"""How errors are answered: one shape, for our own refusals and for everything else (D4)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from prism_iac.backend._errors import Clash, Malformed, NotReady, NotRunnable, Refusal, TooLarge
from prism_iac.backend.store import DatabaseAway, Duplicate
from prism_iac.errors import Conflict, InvalidInput, PrismError

__all__ = ["install", "refusal_response"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.rest")

_MOST_FINDINGS: Final = 10


def refusal_response(refusal: Refusal) -> Response:
    """The answer to a refused request."""
    body: dict[str, Any] = {"error": refusal.message, "message": _sentence(refusal)}
    if isinstance(refusal, NotRunnable):
        body["missing_items"] = refusal.missing_items
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(refusal.retry_after.total_seconds())))
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=refusal.status, headers=headers)


def _sentence(error: PrismError) -> str:
    return f"{error.message}. {error.next_step}" if error.next_step else error.message


def install(app: FastAPI) -> None:
    """Teach an application to answer every error."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(InvalidInput, _invalid)
    app.add_exception_handler(RequestValidationError, _not_validated)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_exception_handler(Duplicate, _raced)
    app.add_exception_handler(DatabaseAway, _database_is_away)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refusal_response(error)


async def _conflict(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Conflict)
    return refusal_response(Clash(error.message, next_step=error.next_step))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidInput)
    first = error.findings[0]
    return refusal_response(Malformed(first.message, next_step=first.fix))


async def _not_validated(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = [_finding(item) for item in error.errors()[:_MOST_FINDINGS]]
    return refusal_response(Malformed(findings[0], next_step="; ".join(findings[1:])))


def _finding(item: dict[str, Any]) -> str:
    """One finding with its place; the value is not repeated, for it may be a secret."""
    place = _place(item["loc"])
    return f"{place}: {item['msg']}"


def _place(location: Sequence[int | str]) -> str:
    source, *path = location
    field = ".".join(str(part) for part in path)
    return field if source == "body" and field else f"{source} {field}".strip()


async def _from_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, TooLarge):
        return refusal_response(error.__cause__)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_at(request)):
        headers["Allow"] = ", ".join(sorted(methods))
    phrase = HTTPStatus(error.status_code).phrase.lower()
    body = {"error": phrase, "message": phrase}
    return JSONResponse(body, status_code=error.status_code, headers=headers)


def _methods_at(request: Request) -> set[str]:
    """Every method that the request's path is served with; the framework tells of its first route only.

    None are known of what lies below a mounted folder.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    path = next((route.path for route in matching), None)
    return {method for route in routes if route.path == path for method in route.methods or ()}


async def _raced(_request: Request, _error: Exception) -> Response:
    return refusal_response(
        Clash("another request changed the same thing at the same time", next_step="Read it, then try again.")
    )


async def _database_is_away(_request: Request, error: Exception) -> Response:
    _log.error("database does not answer", error=type(error.__cause__).__name__)
    return refusal_response(NotReady("the database does not answer", next_step="Try again."))


async def _unexpected(_request: Request, error: Exception) -> Response:
    _log.error("defect", exc_info=error)
    body = {"error": "defect", "message": "This is a defect of prism-iac: please report it."}
    return JSONResponse(body, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
