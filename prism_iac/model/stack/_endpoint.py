"""Where Prism is: the embedded backend, or the address of a service."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from prism_iac.model._form import Form
from prism_iac.model._refusal import Refusal
from prism_iac.model._words import shown

__all__ = ["EMBEDDED", "ENDPOINT_PATTERN", "Endpoint", "parse_endpoint"]

EMBEDDED: Final = "embedded"
"""The word for the backend that runs on this machine."""

ENDPOINT_PATTERN: Final = r"^(embedded|https?://[^@?#]+)$"
"""What JSON Schema can say of an endpoint."""

_EXAMPLE: Final = "Write `embedded`, or a URL such as https://prism.example.com."


def parse_endpoint(text: str) -> str:
    """`embedded`, or the base URL of a Prism without a slash at its end.

    Raises:
        Refusal: It is neither, it would carry credentials, or it would send them in clear.
    """
    text = text.strip().rstrip("/")
    if text == EMBEDDED:
        return text
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError as error:
        raise Refusal("the endpoint is not a URL", _EXAMPLE) from error
    if url.username is not None or url.password is not None:
        raise Refusal(
            "the endpoint carries credentials", "Remove them; they belong in the provider's configuration."
        )
    if url.scheme not in ("http", "https") or not host:
        raise Refusal(f"{shown(text)} is no endpoint", _EXAMPLE)
    if url.query or url.fragment:
        raise Refusal(f"{shown(text)} carries a query or a fragment", "Write the address alone.")
    if url.scheme == "http" and not _is_loopback(host):
        raise Refusal(
            f"{shown(text)} would send credentials in clear",
            "Write https://; http is for addresses of this machine.",
        )
    location = f"[{host}]" if ":" in host else host
    authority = location if port is None else f"{location}:{port}"
    return f"{url.scheme}://{authority}{url.path}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Endpoint = Annotated[str, AfterValidator(parse_endpoint), Form("endpoint", {"pattern": ENDPOINT_PATTERN})]
"""`embedded`, or an https URL; http for addresses of this machine alone."""
