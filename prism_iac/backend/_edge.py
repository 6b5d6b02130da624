"""The outermost layer of the REST side: what is alike for every request.

An optional trailing slash (D7), the other name of the workspaces' routes (D11), a bound on bodies, security headers (prism-rest.md section 1.4), a request
id, and one log event for each request, without bodies, queries or headers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prism_iac.backend._answers import refusal_response
from prism_iac.backend._errors import Malformed, TooLarge

__all__ = ["LARGEST_BODY_BYTES", "LARGEST_BODY_OF_STRANGERS_BYTES", "LARGEST_HEAD_BYTES", "Edge"]

LARGEST_BODY_BYTES: Final = 16 * 1024 * 1024
"""A sample of 10 MB as base64 in JSON, and room for the rest."""

LARGEST_HEAD_BYTES: Final = 16 * 1024
"""Of a request's path, query and headers."""

LARGEST_BODY_OF_STRANGERS_BYTES: Final = 1024 * 1024
"""Of a login, a registration, or a question about a certificate."""

_SECURITY_HEADERS: Final = [
    (b"x-frame-options", b"DENY"),
    (b"x-xss-protection", b"1; mode=block"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]

_DOMAINS: Final = "/auth/domains"
_OTHER_DOMAINS: Final = "/workspaces/domains"

_log: structlog.stdlib.BoundLogger = structlog.get_logger("prism_iac.backend.rest")


class Edge:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = _canonical(scope["path"])
        request_id = str(uuid4())
        began = time.perf_counter()
        status = 500
        extra = [*_SECURITY_HEADERS, (b"x-request-id", request_id.encode())]

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._bounded(scope, receive, send_with_headers)
        finally:
            _log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _head_bytes(scope) > LARGEST_HEAD_BYTES:
            refusal = Malformed(f"path, query and headers have more than {LARGEST_HEAD_BYTES} bytes")
            await refusal_response(refusal)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        # Who shows a token is known before a byte of the body is read.
        most = LARGEST_BODY_BYTES if b"authorization" in headers else LARGEST_BODY_OF_STRANGERS_BYTES
        if _announced_bytes(headers) > most:
            await refusal_response(_too_large(most))(scope, receive, send)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                # While a body is read, the framework lets no other kind of error through.
                raise HTTPException(TooLarge.status) from _too_large(most)
            return message

        await self._app(scope, receive_bounded, send)


def _canonical(path: str) -> str:
    """A path without a trailing slash, and by its documented name (D7, D11)."""
    path = path.rstrip("/") or "/"
    if path == _OTHER_DOMAINS or path.startswith(f"{_OTHER_DOMAINS}/"):
        path = path.replace(_OTHER_DOMAINS, _DOMAINS, 1)
    return path


def _head_bytes(scope: Scope) -> int:
    line = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return line + sum(len(name) + len(value) for name, value in scope["headers"])


def _announced_bytes(headers: Mapping[bytes, bytes]) -> int:
    announced = headers.get(b"content-length", b"0")
    return int(announced) if announced.isdigit() else 0


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body has more than {most} bytes", next_step="Send less.")
