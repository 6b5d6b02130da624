"""Finds out the id of what a create made.

Source: prism-rest.md D2: `HX-Location`, else `Location`, else the body, else a look into the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from prism_iac.prism._call import Reply
from prism_iac.prism._fields import Fields
from prism_iac.prism._json import Malformed, decode
from prism_iac.prism._outcome import Outcome

__all__ = ["id_of_created"]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


def id_of_created(outcome: Outcome, look_up: Callable[[], str | None]) -> str:
    """The id of what a create made, from the first source that tells it.

    Args:
        outcome: Of the create.
        look_up: Finds the newest object that looks like what was created.

    Raises:
        UnexpectedReply: No source tells it; the object may exist all the same.
        ApiError: The look-up failed.
    """
    found = next(_told(outcome.reply), None) or look_up()
    if found is None:
        raise outcome.unexpected("created, but nothing tells the id of what was made")
    return found


def _told(reply: Reply) -> Iterator[str]:
    for header in (_htmx_path(reply.headers.get("hx-location", "")), reply.headers.get("location", "")):
        segment = _last_segment(header)
        if segment:
            yield segment
    try:
        yield Fields(decode(reply.body), "a create reply").identity("id")
    except Malformed:
        return


def _htmx_path(header: str) -> str:
    """The path of an HX-Location header, which is a path or a JSON object with one."""
    if not header.startswith("{"):
        return header
    try:
        document = decode(header.encode())
    except Malformed:
        return ""
    path = document.get("path") if isinstance(document, Mapping) else None
    return path if isinstance(path, str) else ""


def _last_segment(location: str) -> str | None:
    try:
        segment = unquote(urlsplit(location).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None
    return segment if _ID.fullmatch(segment) else None
