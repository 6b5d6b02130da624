"""How fetching ends badly, and how a URL is told without its secrets."""

from __future__ import annotations

from urllib.parse import urlsplit

from prism_iac.errors import PrismError

__all__ = ["FetchFailed", "told"]


class FetchFailed(PrismError):
    """A source does not give what the manifest declares; the text is what result consumers are told."""


def told(url: str) -> str:
    """A URL as messages show it: without user, query and fragment, where signatures and passwords are."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    if "://" not in url:
        return url.partition("?")[0]
    return f"{parts.scheme}://{host}{port}{parts.path}"
