"""Dates as a calendar file (RFC 5545)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from prism_iac.plan import Entry

__all__ = ["ics_of"]

_LONGEST_LINE_BYTES: Final = 75
"""RFC 5545 §3.1, without the line break."""


def ics_of(entries: Iterable[Entry], *, now: datetime) -> bytes:
    """An iCalendar with one event for each date; the same date always has the same UID.

    Args:
        entries: The dates.
        now: When the file is made, aware.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//prism-iac//calendar//EN"]
    for entry in entries:
        lines += _event(entry, now)
    lines.append("END:VCALENDAR")
    return b"".join(part for line in lines for part in _folded(line))


def _event(entry: Entry, now: datetime) -> list[str]:
    identity = hashlib.sha3_256(f"{entry.event}\n{entry.of}\n{entry.at.isoformat()}".encode()).hexdigest()[
        :32
    ]
    return [
        "BEGIN:VEVENT",
        f"UID:{identity}@prism-iac",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(entry.at)}",
        f"SUMMARY:{_text(f'{entry.of} {entry.event}')}",
        f"DESCRIPTION:{_text(entry.next_step)}",
        "END:VEVENT",
    ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    # RFC 5545 §3.3.11
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "".join(character for character in escaped.replace("\n", "\\n") if character.isprintable())


def _folded(line: str) -> Iterator[bytes]:
    part = b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > _LONGEST_LINE_BYTES:
            yield part + b"\r\n"
            part = b" "
        part += encoded
    yield part + b"\r\n"
