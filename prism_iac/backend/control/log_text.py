"""Joins characters that an agent's cutting of log lines has split.

Agents cut messages into pieces of 500 bytes wherever that falls (cocos-grpc.md section 5.4).
"""

from __future__ import annotations

import codecs

__all__ = ["LogText"]


class LogText:
    """Decodes the pieces of one stream; a character that is cut goes with the later piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: object = None

    def decode(self, piece: bytes, *, line: object) -> str:
        """The text of a piece; bytes that are no UTF-8 become U+FFFD.

        Args:
            piece: The bytes as they came.
            line: What pieces of one line share, such as the time.
        """
        if line != self._line:
            self._decoder.reset()
            self._line = line
        return self._decoder.decode(piece).replace("\x00", "\ufffd")  # PostgreSQL keeps no NUL in a text
