"""Makes one exchange over HTTP: a call out, a whole and bounded reply back, or an error that says why not.

The only module that meets httpx; it is imported when a client is made.
"""

from __future__ import annotations

import json
import ssl
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from prism_iac._version import __version__
from prism_iac.prism._call import Call, Reply
from prism_iac.prism._deadline import DeadlineNetwork
from prism_iac.prism._errors import Answer, ApiError, Unavailable, UnexpectedReply
from prism_iac.prism._limits import Limits
from prism_iac.prism._transport import PooledTransport

__all__ = ["Wire"]

_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_MOST_REDIRECTS: Final = 3
_REDIRECTS_OF_ANY_METHOD: Final = frozenset({307, 308})
_REDIRECTS_OF_GET: Final = frozenset({301, 302, 303, 307, 308})
_GZIP: Final = zlib.MAX_WBITS | 16


class Wire:
    """One connection pool to one Prism; safe for use from many threads.

    Args:
        endpoint: The base URL, as `parse_endpoint` gives it.
        limits: The bounds of each exchange.
        ca_file: The trust anchors, PEM; those of httpx when None.
        transport: Stands in for the network.

    Raises:
        InvalidInput: The CA file or the proxy of the environment cannot be used.
    """

    def __init__(
        self, endpoint: str, *, limits: Limits, ca_file: Path | None, transport: httpx.BaseTransport | None
    ) -> None:
        self.endpoint = endpoint
        self._limits = limits
        self._network = DeadlineNetwork()
        # A transport alone: the client around one would follow the environment, keep cookies, and log URLs
        # with the download tokens that Prism wants in them.
        self._transport = transport or PooledTransport(
            endpoint, network=self._network, ca_file=ca_file, limits=limits
        )

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def exchange(self, call: Call, *, token: str | None, seconds: float) -> Reply:
        """Make a call once.

        Redirects within the endpoint are followed; any other is a reply like others.

        Args:
            call: What to ask.
            token: Goes with it as bearer token.
            seconds: The time that is left.

        Raises:
            Unavailable: No whole reply came; it says whether a repeat is safe.
            UnexpectedReply: The peer is not trusted, or its reply is too long or in a coding nobody asked for.
        """
        url = httpx.URL(self.endpoint + call.path, params=dict(call.query))
        for _ in range(_MOST_REDIRECTS):
            reply = self._once(call, url, token, min(seconds, self._limits.reply_seconds))
            target = self._redirect(call, url, reply)
            if target is None:
                return reply
            url = target
        raise UnexpectedReply("redirected in a circle", answer=self._answer(call))

    def _once(self, call: Call, url: httpx.URL, token: str | None, seconds: float) -> Reply:
        timeout = httpx.Timeout(seconds, connect=min(self._limits.connect_seconds, seconds))
        request = httpx.Request(
            call.method,
            url,
            content=_content(call),
            headers=_headers(call, token),
            extensions={"timeout": timeout.as_dict()},
        )
        try:
            with self._network.within(seconds):
                response = self._transport.handle_request(request)
                try:
                    return Reply(
                        response.status_code,
                        {name.lower(): value for name, value in response.headers.items()},
                        self._body(call, response),
                    )
                finally:
                    response.close()
        except httpx.TransportError as error:
            raise self._no_reply(call, error) from error

    def _body(self, call: Call, response: httpx.Response) -> bytes:
        """The decoded body; a few bytes that unpack to gigabytes never do so here."""
        body = bytearray()
        most = self._limits.reply_bytes
        assert isinstance(response.stream, httpx.SyncByteStream)
        for piece in response.stream:
            body += piece
            if len(body) > most:
                raise self._bad_body(call, response, f"the reply is longer than {most} bytes")
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding in ("identity", "") or not body:
            return bytes(body)
        if coding != "gzip":
            raise self._bad_body(call, response, "the reply comes in a content coding that was not asked for")
        return self._unpacked(call, response, bytes(body))

    def _unpacked(self, call: Call, response: httpx.Response, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj(_GZIP)
        most = self._limits.reply_bytes
        try:
            body = unpacker.decompress(packed, most)
        except zlib.error as error:
            raise self._bad_body(call, response, "the reply is not the gzip that it says") from error
        if unpacker.unconsumed_tail:
            raise self._bad_body(call, response, f"the reply is longer than {most} bytes")
        if not unpacker.eof:
            raise self._bad_body(call, response, "the reply breaks off")
        return body

    def _redirect(self, call: Call, url: httpx.URL, reply: Reply) -> httpx.URL | None:
        allowed = _REDIRECTS_OF_GET if call.method == "GET" else _REDIRECTS_OF_ANY_METHOD
        location = reply.headers.get("location")
        if reply.status not in allowed or not location:
            return None
        own = urlsplit(self.endpoint)
        try:
            target = urlsplit(urljoin(str(url), location))
            return httpx.URL(target.geturl()) if (target.scheme, target.netloc) == own[:2] else None
        except (ValueError, httpx.InvalidURL):
            return None

    def _no_reply(self, call: Call, error: httpx.TransportError) -> ApiError:
        if _is_untrusted(error):
            return UnexpectedReply(
                "the certificate of the server is not trusted",
                answer=self._answer(call),
                next_step="Check the endpoint; for a private CA, give its certificate as the CA file.",
            )
        sent = not isinstance(error, _NOTHING_SENT)
        timed_out = isinstance(error, httpx.TimeoutException)
        what = "no whole reply came" if sent else "could not connect"
        return Unavailable(
            f"{what} in time" if timed_out else f"{what}{_reason(error)}",
            answer=self._answer(call),
            retry_is_safe=call.is_safe_to_repeat or not sent,
            may_have_happened=sent and call.changes_something,
        )

    def _bad_body(self, call: Call, response: httpx.Response, what: str) -> UnexpectedReply:
        return UnexpectedReply(
            what,
            answer=self._answer(call, response.status_code),
            retry_is_safe=call.is_safe_to_repeat,
            may_have_happened=call.changes_something,
        )

    def _answer(self, call: Call, status: int | None = None) -> Answer:
        return Answer(call.method, self.endpoint, call.path, status)


def _content(call: Call) -> bytes | None:
    if call.body is None or isinstance(call.body, bytes):
        return call.body
    return json.dumps(call.body).encode()


def _headers(call: Call, token: str | None) -> Mapping[str, str]:
    headers = {
        "Accept": call.accept,
        "Accept-Encoding": "gzip",
        "User-Agent": f"prism-iac/{__version__}",
    }
    if call.body is not None:
        headers["Content-Type"] = call.content_type
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    return headers


def _is_untrusted(error: BaseException) -> bool:
    """Whether the verification of the peer's certificate is at the root of an error."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _reason(error: BaseException) -> str:
    """The operating system's words for an error, such as `: Connection refused`."""
    words = [cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    return f": {words[-1]}" if words else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
