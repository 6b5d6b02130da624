"""Secrets that a test can tell wherever they turn up, in whichever spelling."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args
from urllib.parse import quote

from pydantic import BaseModel

from prism_iac.model._change import Rule
from prism_iac.testing.faults import processes_of

__all__ = ["Canaries", "Sighting", "secret_fields", "watched"]

Location = tuple[str, ...]

_SHORTEST: Final = 12
"""A part of a secret that is shorter could be anything."""

_PAUSE_SECONDS: Final = 0.1


def secret_fields(model: type[BaseModel]) -> dict[Location, Rule]:
    """Every field of a model whose rule says that it is secret, wherever within it."""
    return dict(_secret_fields(model, ()))


def _secret_fields(model: type[BaseModel], location: Location) -> Iterator[tuple[Location, Rule]]:
    for name, field in model.model_fields.items():
        rules = [item for item in field.metadata if isinstance(item, Rule)]
        if rules and rules[0].secret:
            yield (*location, name), rules[0]
            continue
        for part in _models_in(field.annotation):
            yield from _secret_fields(part, (*location, name))


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


class Canaries:
    """Secrets by what they are, such as `CertificateBundle.ca_key`.

    Of a PEM text each line of the body is one: any of them alone would help somebody.
    """

    def __init__(self) -> None:
        self._needles: dict[bytes, str] = {}

    def add(self, name: str, secret: str) -> None:
        """Watch for one more."""
        parts = [line for line in secret.splitlines() if line and not line.startswith("-----")]
        if "-----BEGIN" in secret:
            parts.append("".join(parts))
        for part in parts:
            assert len(part) >= _SHORTEST or len(parts) > 1, f"{name} is too short to be told"
            for spelling in _spellings(part):
                if len(spelling) >= _SHORTEST:
                    self._needles[spelling] = name

    def within(self, data: bytes) -> set[str]:
        """The secrets that stand in some bytes."""
        return {name for needle, name in list(self._needles.items()) if needle in data}

    def files(self, folder: Path) -> dict[str, set[str]]:
        """The secrets in each file below a folder, where there is one, by the file's path within it."""
        found = {}
        for path in folder.rglob("*"):
            if path.is_file() and (here := self.within(path.read_bytes())):
                found[str(path.relative_to(folder))] = here
        return found


def _spellings(text: str) -> Iterator[bytes]:
    """The text as it is, escaped, and encoded; base64 at each of the three places where a text may begin."""
    plain = text.encode()
    yield plain
    escaped = json.dumps(text)[1:-1]
    yield escaped.encode()
    yield re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", escaped).encode()  # as Go writes it
    yield quote(text, safe="").encode()
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    with suppress(ValueError):
        yield base64.b64decode(text, validate=True)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            # What depends on the neighbours is left away at both ends.
            encoded = encode(bytes(shift) + plain)
            yield encoded[-(-shift * 4 // 3) : len(encoded) - 4]


@dataclass(frozen=True)
class Sighting:
    """A secret that a process was started with.

    Attributes:
        process: Its arguments.
        place: `cmdline` or `environ`.
        secret: What it is.
    """

    process: str
    place: str
    secret: str


@contextmanager
def watched(folder: Path, canaries: Canaries) -> Iterator[set[Sighting]]:
    """Look again and again at the arguments and the environments of all processes that know a folder.

    Gives what was seen; it fills while the context lasts.
    """
    seen: set[Sighting] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(_PAUSE_SECONDS):
            for pid in processes_of(folder):
                with suppress(OSError):
                    bags = {name: Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
                    if Path(f"/proc/{pid}/cmdline").read_bytes() != bags["cmdline"]:
                        continue  # it has become another program in between
                    process = bags["cmdline"].replace(b"\0", b" ").decode("utf-8", "replace")
                    for name, data in bags.items():
                        seen.update(Sighting(process, name, secret) for secret in canaries.within(data))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
