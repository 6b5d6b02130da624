"""The lock file beside a stack file: `dev.lock.yaml` beside `dev.yaml`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML

from prism_iac.errors import InvalidInput
from prism_iac.model import Location, findings_of
from prism_iac.model.stack import LockFile
from prism_iac.spec._compose import compose
from prism_iac.spec._source import read_source
from prism_iac.spec._tree import Node, Place, place_of, plain

__all__ = ["Locked", "edit_lock", "lock_path", "read_lock"]

_HEAD: Final = """\
# yaml-language-server: $schema=../schemas/lock.schema.json
# What the stack file beside this one was resolved to. Written by `prism-iac lock`; an update refuses other files.
"""


class Locked:
    """A lock as it is in its file.

    Attributes:
        path: The file, as the user named its stack file.
        pins: What it says.
    """

    def __init__(self, path: Path, pins: LockFile, root: Node) -> None:
        self.path = path
        self.pins = pins
        self._root = root

    def place(self, *location: str) -> Place:
        """Where something stands, or the nearest thing around it."""
        return place_of(self._root, location)


def lock_path(stack_file: Path) -> Path:
    """The lock file of a stack file."""
    return stack_file.with_name(f"{stack_file.stem}.lock.yaml")


def read_lock(stack_file: Path) -> Locked | None:
    """The lock of a stack file; None where there is none.

    Raises:
        InvalidInput: The file is no lock.
    """
    path = lock_path(stack_file)
    if not path.exists():
        return None
    root, findings = compose(read_source(path), str(path))

    def locate(location: Location, *, at_name: bool) -> Place:
        return place_of(root, location, at_name=at_name)

    try:
        pins = LockFile.model_validate(plain(root))
    except ValidationError as error:
        raise InvalidInput({*findings, *findings_of(error, LockFile, locate=locate).findings}) from None
    if findings:
        raise InvalidInput(findings)
    return Locked(path, pins, root)


def edit_lock(text: str | None, pins: LockFile) -> str:
    """The text of a lock file that says these pins; comments of a text that is there stay.

    Args:
        text: What the file says; None where there is none.
        pins: What it is to say.
    """
    yaml = YAML()
    yaml.width = 120
    document = yaml.load(text if text is not None else _HEAD + "version: 1\n")
    _put(document, pins.model_dump(mode="json", exclude_none=True))
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _put(document: Any, values: Mapping[str, Any]) -> None:
    """Make a mapping say these values; what says so already is left as it is written."""
    for gone in [name for name in document if name not in values]:
        del document[gone]
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(document.get(name), Mapping):
            _put(document[name], value)
        elif document.get(name) != value:
            document[name] = value
