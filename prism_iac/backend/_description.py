"""The API's description (OpenAPI), made when somebody asks for it.

The framework describes what it reads itself: bodies and the operations' own parameters. What the guard
reads, what operations answer, and how they refuse is added here, once for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin

from fastapi import FastAPI, Response
from pydantic import TypeAdapter

from prism_iac.backend._errors import (
    REFUSALS,
    Forbidden,
    Malformed,
    NotReady,
    NotRunnable,
    Refusal,
    TooLarge,
    Unauthenticated,
    WrongContentType,
)
from prism_iac.backend._guard import GuardedRoute, Mounted
from prism_iac.backend._operation import REPLAYED_HEADER
from prism_iac.backend._permissions import Reach
from prism_iac.backend.records.errors import ErrorRecord, NotRunnableRecord

__all__ = ["describe"]

_REFERENCE: Final = "#/components/schemas/{model}"
_TEXT: Final = {"type": "string"}
_FRAMEWORK_SHAPES: Final = ("HTTPValidationError", "ValidationError")

_DOMAIN_QUERY: Final = {
    "name": "domainID",
    "in": "query",
    "required": False,
    "description": "The workspace once more; must agree with the path.",
    "schema": _TEXT,
}
_IDEMPOTENCY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repeat with the same key and the same content gives the first record again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def describe(api: FastAPI) -> dict[str, Any]:
    """The whole description of an application that `GuardedRoute`s make up."""
    description = FastAPI.openapi(api)
    components = description.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    for name in _FRAMEWORK_SHAPES:
        shapes.pop(name, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    routes = [route for route in api.routes if isinstance(route, GuardedRoute)]
    results = _schemas([_json_result(route.mounted.result) for route in routes], shapes)
    errors = _schemas([ErrorRecord, NotRunnableRecord], shapes)
    for route, result in zip(routes, results, strict=True):
        operation = description["paths"][route.path_format][route.mounted.method.lower()]
        _complete(operation, route.mounted, result, errors)
    return description


def _complete(
    operation: dict[str, Any], mounted: Mounted, result: dict[str, Any] | None, errors: list[Any]
) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters += _guard_parameters(mounted)
    if mounted.operation.rule.reach is not Reach.PUBLIC:
        operation["security"] = [{"bearer": []}]
    operation["responses"] = {str(mounted.operation.status): _success(mounted, result)}
    for refusal in _refusals(mounted):
        schema = errors[1] if refusal is NotRunnable else errors[0]
        operation["responses"][str(refusal.status)] = {
            "description": refusal.meaning,
            "content": {"application/json": {"schema": schema}},
        }
    if not parameters:
        del operation["parameters"]


def _guard_parameters(mounted: Mounted) -> Iterator[dict[str, Any]]:
    for name in mounted.path_names:
        if name not in mounted.own_names:
            yield {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "maxLength": 255}}
    if "domain_id" in mounted.path_names:
        yield _DOMAIN_QUERY
    if mounted.operation.replay is not None:
        yield _IDEMPOTENCY_HEADER


def _success(mounted: Mounted, result: dict[str, Any] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Success."}
    content = dict(mounted.answers)
    if result is not None:
        content["application/json"] = {"schema": result}
    if content:
        answer["content"] = content
    names = ["Location", "HX-Location"] if mounted.operation.location is not None else []
    if names:
        answer["headers"] = {name: {"schema": _TEXT, "required": True} for name in names}
    if mounted.operation.replay is not None:
        answer.setdefault("headers", {})[REPLAYED_HEADER] = {"schema": {"type": "string", "enum": ["true"]}}
    return answer


def _refusals(mounted: Mounted) -> list[type[Refusal]]:
    refusals = {Malformed, NotReady, *mounted.refusals}
    if mounted.operation.rule.reach is not Reach.PUBLIC:
        refusals |= {Unauthenticated, Forbidden}
    if "body" in mounted.own_names:
        refusals |= {TooLarge, WrongContentType}
    return [refusal for _, refusal in sorted(REFUSALS.items()) if refusal in refusals]


def _json_result(returned: Any) -> Any:
    """What is written as JSON, of the types that a function returns; None where nothing is."""
    kinds = get_args(returned) if get_origin(returned) is UnionType else (returned,)
    plain = [kind for kind in kinds if not (isinstance(kind, type) and issubclass(kind, Response | None))]
    result = None
    for kind in plain:
        result = kind if result is None else result | kind
    return result


def _schemas(kinds: list[Any], shapes: dict[str, Any]) -> list[dict[str, Any] | None]:
    """The schema of each kind, None for None; the shapes that they refer to are added."""
    adapters: list[tuple[int, Literal["serialization"], TypeAdapter[Any]]] = [
        (number, "serialization", TypeAdapter(kind)) for number, kind in enumerate(kinds) if kind is not None
    ]
    found, shared = TypeAdapter.json_schemas(adapters, ref_template=_REFERENCE)
    shapes.update(shared.get("$defs", {}))
    return [found.get((number, "serialization")) for number in range(len(kinds))]
