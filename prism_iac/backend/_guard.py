"""Mounts operations on routes, each under the rule of its name.

An operation is a plain function whose first parameter is the scope that it works with. Endpoints are
synchronous, on a bounded pool of threads: argon2, keys and a PostgreSQL round trip all block, and one hop
into a thread costs less than an asynchronous driver.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_type_hints

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from prism_iac.backend._errors import Clash, Malformed, Missing, Refusal, Unauthenticated, WrongContentType
from prism_iac.backend._operation import Operation, perform
from prism_iac.backend._permissions import RULES, Reach
from prism_iac.backend._scope import Entry, WorkspaceScope
from prism_iac.backend._services import Services
from prism_iac.backend._tokens import TokenKind

__all__ = ["GuardedRoute", "bearer_of", "serves"]

Function = TypeVar("Function", bound=Callable[..., Any])

_JSON: Final = "application/json"
_PATH_NAME: Final = re.compile(r"{(\w+)}")
_PATH_TEXT: Final = re.compile(r"[^\x00]{1,255}")
_KEY_TEXT: Final = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Mounted:
    """An operation on its route, as the API's description needs it.

    Attributes:
        result: The type of the record; None where the answer has no body.
        refusals: Beyond those that follow from the rule.
        answers: The media types of a success that is not JSON, with their schemas.
        path_names: The parameters in the path.
        own_names: The parameters that the framework reads for the operation.
    """

    operation: Operation
    method: str
    result: Any
    refusals: frozenset[type[Refusal]]
    answers: dict[str, Any]
    path_names: tuple[str, ...]
    own_names: frozenset[str]


class GuardedRoute(APIRoute):
    """A route that knows its caller before it reads anything of the request."""

    mounted: Mounted

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind the guard."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if self.mounted.operation.rule.reach is not Reach.PUBLIC:
                services: Services = request.app.state.services
                request.state.claims = services.tokens.verify(bearer_of(request), TokenKind.ACCESS)
            if "body" in self.mounted.own_names:
                _require_json(request)
            return await handle(request)

        return guarded


def serves(
    router: APIRouter,
    method: str,
    path: str,
    *,
    status: int = 200,
    errors: Iterable[type[Refusal]] = (),
    writes: bool | None = None,
    location: str | None = None,
    replay: Callable[[Any, str], Any] | None = None,
    name: str | None = None,
    scope_type: type[Any] | None = None,
    answers: dict[str, Any] | None = None,
) -> Callable[[Function], Function]:
    """Mount an operation.

    Args:
        router: Where.
        method: The HTTP method.
        path: After the router's prefix.
        status: Of a success.
        errors: What the operation itself refuses with, for the API's description.
        writes: Whether it changes anything; every method but GET does unless this says otherwise.
        location: The path of the record that it makes, with `{id}`; goes into both location headers (D2).
        replay: Finds the record that an earlier request with the same idempotency key made; with it the
            operation takes such keys.
        name: The operation's name where it is not the function's; the rule is the one of this name.
        scope_type: The scope where it is not the one of the annotation.
        answers: The media types of a success besides JSON, with their schemas.
    """

    def mount(function: Function) -> Function:
        hints = get_type_hints(function, include_extras=True)
        scope_name, *own_names = inspect.signature(function).parameters
        operation = Operation(
            name=name or function.__name__,
            rule=RULES[name or function.__name__],
            scope_type=scope_type or hints[scope_name],
            function=function,
            status=status,
            writes=method != "GET" if writes is None else writes,
            location=location,
            replay=replay,
        )
        mounted = Mounted(
            operation=operation,
            method=method,
            result=hints["return"],
            refusals=frozenset(errors) | _implied_refusals(operation),
            answers=answers or {},
            path_names=tuple(_PATH_NAME.findall(router.prefix + path)),
            own_names=frozenset(own_names),
        )
        route = GuardedRoute(
            router.prefix + path,
            _endpoint(mounted, hints),
            methods=[method],
            status_code=status,
            name=operation.name,
            operation_id=f"{operation.name}_{method.lower()}",
            response_model=None,
            response_class=Response,
            summary=(function.__doc__ or operation.name).partition("\n")[0].rstrip("."),
            tags=list(router.tags),
        )
        route.mounted = mounted
        router.routes.append(route)
        return function

    return mount


def bearer_of(request: Request) -> str:
    """The bearer token of a request.

    Raises:
        Unauthenticated: There is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("there is no bearer token", next_step="Send Authorization: Bearer <token>.")
    return token.strip()


def _require_json(request: Request) -> None:
    headers = request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if has_body and media_type != _JSON:
        raise WrongContentType(
            f'the body is of type "{media_type}"', next_step=f"Send Content-Type: {_JSON}."
        )


def _implied_refusals(operation: Operation) -> frozenset[type[Refusal]]:
    refusals: set[type[Refusal]] = set()
    if issubclass(operation.scope_type, WorkspaceScope):
        refusals.add(Missing)
    if operation.replay is not None:
        refusals.add(Clash)
    return frozenset(refusals)


def _endpoint(mounted: Mounted, hints: dict[str, Any]) -> Callable[..., Response]:
    """The function that the framework calls: it takes what the operation takes, and the request."""

    def endpoint(**given: Any) -> Response:
        request: Request = given.pop("request")
        return perform(mounted.operation, _entry(mounted, request), given, _idempotency_key(mounted, request))

    signature = inspect.signature(mounted.operation.function)
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in signature.parameters.items()
        if name in mounted.own_names
    ]
    request = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    endpoint.__signature__ = inspect.Signature([*own, request])  # type: ignore[attr-defined]  # read by FastAPI
    return endpoint


def _entry(mounted: Mounted, request: Request) -> Entry:
    path = request.path_params
    for name in mounted.path_names:
        if not _PATH_TEXT.fullmatch(path[name]):
            raise Malformed(f"path {name}: must have 1 to 255 characters")
    return Entry(
        operation=mounted.operation.name,
        services=request.app.state.services,
        claims=getattr(request.state, "claims", None),
        path=path,
        domain_query=request.query_params.get("domainID"),
    )


def _idempotency_key(mounted: Mounted, request: Request) -> str | None:
    key = request.headers.get("idempotency-key") if mounted.operation.replay is not None else None
    if key is not None and not _KEY_TEXT.fullmatch(key):
        raise Malformed("header Idempotency-Key: must be 1 to 255 visible ASCII characters")
    return key
