"""Builds the connection pool to one Prism: TLS, proxy, deadlines."""

from __future__ import annotations

import ssl
import urllib.request
from pathlib import Path
from typing import Final

import httpcore
import httpx

from prism_iac.errors import Finding, InvalidInput
from prism_iac.prism._deadline import DeadlineNetwork
from prism_iac.prism._endpoint import is_loopback
from prism_iac.prism._limits import Limits

__all__ = ["PooledTransport"]

_KEEP_ALIVE_SECONDS: Final = 3.0
"""Shorter than servers keep idle connections, so that a request rarely meets one that is being closed."""


class PooledTransport(httpx.HTTPTransport):
    """The transport of httpx over a pool whose exchanges have an end.

    Args:
        endpoint: The base URL; its host decides about the proxy.
        network: Keeps the deadlines.
        ca_file: The trust anchors, PEM, instead of the usual ones.
        limits: Bounds the number of connections.

    Raises:
        InvalidInput: The CA file cannot be read, or the proxy of the environment cannot be used.
    """

    def __init__(
        self, endpoint: str, *, network: DeadlineNetwork, ca_file: Path | None, limits: Limits
    ) -> None:
        # The base class builds a pool of its own, without a way to give it a network.
        url = httpx.URL(endpoint)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls_context(url, ca_file),
            proxy=_proxy(url),
            max_connections=limits.connections,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=network,
        )


def _tls_context(url: httpx.URL, ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is not None:
        try:
            return ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise InvalidInput(
                [
                    Finding(
                        file=str(ca_file),
                        message="no CA certificates can be read from it",
                        fix="Give a PEM file.",
                    )
                ]
            ) from error
    if url.scheme == "https":
        return httpx.create_ssl_context()
    # Never used for http; trusts nobody, and costs nothing to build.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy(url: httpx.URL) -> httpcore.Proxy | None:
    """The proxy that the environment names for a host; this machine is always reached directly."""
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    text = proxies.get(url.scheme) or proxies.get("all")
    if text is None:
        return None
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
    except (ValueError, httpx.InvalidURL) as error:
        raise _bad_proxy(url.scheme) from error
    if proxy.url.scheme not in ("http", "https") or not proxy.url.host:
        raise _bad_proxy(url.scheme)
    return httpcore.Proxy(str(proxy.url), auth=proxy.raw_auth)


def _bad_proxy(scheme: str) -> InvalidInput:
    return InvalidInput(
        [
            Finding(
                path=f"{scheme}_proxy",
                message="the proxy that the environment names is no http or https URL",
                fix=f"Correct {scheme.upper()}_PROXY, or name the host of Prism in NO_PROXY.",
            )
        ]
    )
