"""Checks the base URL of a Prism before anything is sent to it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from prism_iac.errors import Finding, InvalidInput

__all__ = ["is_loopback", "parse_endpoint"]


def parse_endpoint(endpoint: str) -> str:
    """The base URL without a slash at its end.

    Raises:
        InvalidInput: It is no https URL with a host, carries a user, a query or a fragment, or sends
            credentials in clear to another machine.
    """
    try:
        url = urlsplit(endpoint)
        problem = _problem(url)
    except ValueError:
        problem = "it is not a URL"
    if problem:
        raise InvalidInput(
            [
                Finding(
                    path="endpoint",
                    message=f"the endpoint cannot be used: {problem}",
                    fix="Give the base URL of Prism, such as https://prism.ultraviolet.rs.",
                )
            ]
        )
    return endpoint.rstrip("/")


def _problem(url: SplitResult) -> str:
    if not url.hostname or url.port == 0:
        return "it names no host"
    if url.username is not None or url.password is not None:
        return "it carries a user or a password"
    if url.query or url.fragment:
        return "it carries a query or a fragment"
    if url.scheme == "http" and not is_loopback(url.hostname):
        return "http would send the password in clear"
    if url.scheme not in ("http", "https"):
        return "its scheme is not https"
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
