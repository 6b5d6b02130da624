"""The fenced blocks of a Markdown document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FENCED: Final = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME: Final = re.compile(r"# (?P<name>[\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: What follows the fence.
        text: Its lines.
    """

    language: str
    text: str

    @property
    def file_name(self) -> str | None:
        """The file that the first line, a comment, names."""
        found = _FILE_NAME.match(self.text)
        return found["name"] if found else None


def blocks_of(document: Path) -> list[Block]:
    return [
        Block(found["language"], found["text"])
        for found in _FENCED.finditer(document.read_text(encoding="utf-8"))
    ]
