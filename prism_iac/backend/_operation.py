"""Runs one operation: one transaction, the rule, the idempotency key, and the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response
from pydantic_core import to_json, to_jsonable_python
from sqlalchemy.orm import Session

from prism_iac.backend._errors import Clash
from prism_iac.backend._permissions import Rule
from prism_iac.backend._scope import Entry, Scope, WorkspaceScope, admit
from prism_iac.backend.store import Duplicate, idempotency
from prism_iac.backend.store.idempotency import IdempotencyKey

__all__ = ["REPLAYED_HEADER", "Operation", "perform"]

REPLAYED_HEADER: Final = "Idempotent-Replayed"
"""Says that the record was made by an earlier request with the same key."""

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """What is mounted on one route.

    Attributes:
        function: Takes the scope and the request's arguments, gives the record to answer with.
        status: Of a success.
        writes: Whether it changes anything.
        location: The path of the record that it makes, with `{id}`.
        replay: Finds the record that an earlier request with the same key made, by its id.
    """

    name: str
    rule: Rule
    scope_type: type[Scope]
    function: Callable[..., Any]
    status: int
    writes: bool
    location: str | None = None
    replay: Callable[[Any, str], Any] | None = None


@dataclass(frozen=True, slots=True)
class _Done:
    record: Any
    headers: dict[str, str]
    after_commit: list[Callable[[], None]]


def perform(operation: Operation, entry: Entry, arguments: Mapping[str, Any], key: str | None) -> Response:
    """Run an operation and make its answer.

    Raises:
        Refusal: It is not let in, or refuses by itself; nothing is changed then.
    """
    try:
        done = _transact(operation, entry, arguments, key)
    except Duplicate:
        if key is None:
            raise
        # Another request took the key while this one waited; its record is there now.
        done = _transact(operation, entry, arguments, key)
    for action in done.after_commit:
        action()
    return _answer(operation, done)


def _transact(operation: Operation, entry: Entry, arguments: Mapping[str, Any], key: str | None) -> _Done:
    with _transaction(operation, entry) as session:
        scope = admit(operation.scope_type, operation.rule, entry, session)
        if key is None:
            record, replayed = operation.function(scope, **arguments), False
        else:
            assert isinstance(scope, WorkspaceScope), "idempotency keys belong to a workspace"
            record, replayed = _once(operation, scope, entry, arguments, key)
        headers = dict(scope.answer.headers)
        if replayed:
            headers[REPLAYED_HEADER] = "true"
        return _Done(record, headers, scope.answer.after_commit)


def _transaction(operation: Operation, entry: Entry) -> AbstractContextManager[Session]:
    database = entry.services.database
    return database.writing() if operation.writes else database.reading()


def _once(
    operation: Operation, scope: WorkspaceScope, entry: Entry, arguments: Mapping[str, Any], key: str
) -> tuple[Any, bool]:
    assert operation.replay is not None, "the operation takes no idempotency keys"
    # The path's ids are part of the route; the workspace is named by its id, however the path names it.
    places = {name: value for name, value in entry.path.items() if name != "domain_id"}
    route = json.dumps([operation.name, places], sort_keys=True)
    digest = _digest_of(arguments)
    known = idempotency.find(scope.session, scope.workspace.id, scope.caller.id, route, key)
    if known is not None:
        if known.digest != digest:
            raise Clash(
                f'the idempotency key "{key}" was used for another request',
                next_step="Use a fresh key, or repeat that request exactly.",
            )
        return operation.replay(scope, known.record_id), True
    reserved = IdempotencyKey(
        workspace_id=scope.workspace.id,
        user_id=scope.caller.id,
        route=route,
        key=key,
        digest=digest,
        record_id="",
        created_at=scope.now,
    )
    idempotency.reserve(scope.session, reserved)
    scope.idempotency_key = key
    record = operation.function(scope, **arguments)
    idempotency.settle(scope.session, reserved, _id_of(record))
    return record, False


def _digest_of(arguments: Mapping[str, Any]) -> str:
    plain = to_jsonable_python(dict(arguments))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _id_of(record: Any) -> str:
    return record if isinstance(record, str) else str(record.id)


def _answer(operation: Operation, done: _Done) -> Response:
    headers = done.headers
    if operation.location is not None:
        path = operation.location.format(id=_id_of(done.record))
        headers |= {"HX-Location": path, "Location": path}
    if isinstance(done.record, Response):
        done.record.headers.update(headers)
        return done.record
    if done.record is None:
        return Response(status_code=operation.status, headers=headers)
    return Response(to_json(done.record), status_code=operation.status, headers=headers, media_type=_JSON)
