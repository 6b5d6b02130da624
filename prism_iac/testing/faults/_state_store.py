"""A store of state that the engine takes for an S3, so that every write of state is a call.

It knows what the engine's own backend asks for: objects are put, copied, fetched, listed and deleted, in one
bucket, in memory. Nobody is asked who they are, and only this machine can reach it.
Source: Amazon S3 API reference 2006-03-01: PutObject, CopyObject, GetObject, ListObjectsV2, DeleteObject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from prism_iac.testing.faults._server import LocalServer
from prism_iac.testing.faults._tape import CutOff

__all__ = ["StateStore"]

_BUCKET: Final = "state"
_DATE: Final = "2026-01-01T00:00:00.000Z"
_HTTP_DATE: Final = "Thu, 01 Jan 2026 00:00:00 GMT"
_STATE: Final = ".pulumi/stacks/"
_LOCKS: Final = ".pulumi/locks/"
_COPY_SUFFIX: Final = ".bak"


class StateStore(LocalServer):
    """Objects by key; a context manager that serves them.

    Args:
        passing: Surrounds each write of a state or of a lock, which it is told of as `PUT key` or `DELETE key`.
            What else the engine writes are copies of states that it writes before or after.

    Attributes:
        objects: What was put, by key.
        written: Every content that a key ever had.
    """

    def __init__(self, passing: Callable[[str], AbstractContextManager[None]]) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: dict[str, bytes] = {}
        self._passing = passing
        super().__init__(partial(_Handler, self))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which the engine keeps its state here, and no configuration of AWS's is looked for."""
        return {
            "PULUMI_BACKEND_URL": f"s3://{_BUCKET}?endpoint={self.endpoint}&s3ForcePathStyle=true",
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_REGION": "here",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        }

    @property
    def is_locked(self) -> bool:
        """Whether an update holds the stack, or one that was killed did."""
        return any(key.startswith(_LOCKS) for key in self.objects)

    def states(self) -> list[bytes]:
        """The state of each stack."""
        return [
            content
            for key, content in sorted(self.objects.items())
            if key.startswith(_STATE) and key.endswith(".json")
        ]

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        with self._passing_write("PUT", key):
            self.objects[key] = content
            self.written[f"{key} {sha256(content).hexdigest()}"] = content

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        with self._passing_write("DELETE", key):
            self.objects.pop(key, None)

    def _passing_write(self, method: str, key: str) -> AbstractContextManager[None]:
        is_counted = key.startswith((_STATE, _LOCKS)) and not key.endswith(_COPY_SUFFIX)
        return self._passing(f"{method} {key}") if is_counted else nullcontext()


class _Handler(BaseHTTPRequestHandler):
    """One connection of the engine."""

    protocol_version = "HTTP/1.1"

    def __init__(self, store: StateStore, *connection: Any) -> None:
        self._store = store
        super().__init__(*connection)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        # An engine that is killed resets its connections.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        key = self._key()
        if not key:
            self._list()
        elif key in self._store.objects:
            self._answer(HTTPStatus.OK, self._store.objects[key])
        else:
            self._absent()

    do_HEAD = do_GET  # noqa: N815  # the server's own naming

    def do_PUT(self) -> None:
        key, content = self._key(), self.rfile.read(int(self.headers.get("content-length", "0")))
        source = self.headers.get("x-amz-copy-source")
        if source is not None:
            copied = self._store.objects.get(unquote(source).strip("/").partition("/")[2])
            if copied is None:
                self._absent()
                return
            content = copied
        try:
            self._store.put(key, content)
        except CutOff:
            self.close_connection = True
            return
        self._answer(HTTPStatus.OK, b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>" if source else b"")

    def do_DELETE(self) -> None:
        try:
            self._store.delete(self._key())
        except CutOff:
            self.close_connection = True
            return
        self._answer(HTTPStatus.NO_CONTENT)

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/").partition("/")[2]

    def _list(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        found = sorted(key for key in list(self._store.objects) if key.startswith(prefix))
        rests = {key: key.removeprefix(prefix) for key in found}
        folders = {
            f"{prefix}{rest.partition(delimiter)[0]}{delimiter}"
            for rest in rests.values()
            if delimiter and delimiter in rest
        }
        lines = [
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_DATE}</LastModified><ETag>x</ETag>"
            f"<Size>{len(self._store.objects.get(key, b''))}</Size></Contents>"
            for key, rest in rests.items()
            if not delimiter or delimiter not in rest
        ]
        lines += [
            f"<CommonPrefixes><Prefix>{escape(item)}</Prefix></CommonPrefixes>" for item in sorted(folders)
        ]
        self._answer(
            HTTPStatus.OK,
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(lines)}</ListBucketResult>".encode(),
        )

    def _absent(self) -> None:
        self._answer(
            HTTPStatus.NOT_FOUND, b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
        )

    def _answer(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response_only(status)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", '"x"')
        self.send_header("last-modified", _HTTP_DATE)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
