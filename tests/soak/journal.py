"""What a backend has acknowledged, written down before the client goes on, and what follows from it for the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Fields: TypeAlias = Mapping[str, Any]


class Thing(NamedTuple):
    """Something that clients make, change and remove."""

    kind: str
    workspace: str
    id: str


class Journal:
    """A file with one line for each write that was acknowledged; `fields` is what the thing is from then on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writes = 0
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def note(self, thing: Thing, fields: Fields) -> None:
        self._write(thing, dict(fields))

    def note_removal(self, thing: Thing) -> None:
        self._write(thing, None)

    def close(self) -> None:
        self._file.close()

    def _write(self, thing: Thing, fields: dict[str, Any] | None) -> None:
        self.writes += 1
        self._file.write(json.dumps([*thing, fields]) + "\n")


def expected(path: Path) -> dict[Thing, Fields]:
    """What must be there, and nothing else, when every line was acted on."""
    things: dict[Thing, Fields] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            *named, fields = json.loads(line)
            thing = Thing(*named)
            if fields is None:
                del things[thing]
            else:
                things[thing] = fields
    return things
