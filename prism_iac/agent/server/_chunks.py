"""Puts a manifest together that arrives in pieces.

Source: cocos-grpc.md section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["ChunkAssembler"]

_IDLE_SECONDS: Final = 30.0
_MOST_BYTES: Final = 64 << 20
"""All unfinished manifests together; a manifest has a few kilobytes."""


@dataclass(slots=True)
class _Unfinished:
    touched_at: float
    data: bytearray = field(default_factory=bytearray)


class ChunkAssembler:
    """Unfinished manifests, by id; one that stays idle for 30 seconds is dropped.

    Args:
        now: Monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._unfinished: dict[str, _Unfinished] = {}

    def add(self, id_: str, data: bytes, *, is_last: bool) -> bytes | None:
        """The whole manifest once its last piece is there, else None.

        Raises:
            ValueError: There is too much of it; what there was is dropped.
        """
        self._drop_idle()
        entry = self._unfinished.setdefault(id_, _Unfinished(self._now()))
        entry.touched_at = self._now()
        entry.data += data
        if sum(len(other.data) for other in self._unfinished.values()) > _MOST_BYTES:
            del self._unfinished[id_]
            raise ValueError(f"the manifest has more than {_MOST_BYTES} bytes")
        if not is_last:
            return None
        return bytes(self._unfinished.pop(id_).data)

    def _drop_idle(self) -> None:
        oldest = self._now() - _IDLE_SECONDS
        self._unfinished = {
            id_: entry for id_, entry in self._unfinished.items() if entry.touched_at > oldest
        }
