"""Batched reads: one list call in place of many single ones.

A refresh reads every resource. The first read of a kind asks for its one object; from the second on the
whole list is fetched, a hundred a page, and serves the rest of the deployment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from prism_iac.model import unmarked
from prism_iac.prism import NotFound

if TYPE_CHECKING:
    from prism_iac.prism import AssetRecord, ComputationRecord, CvmRecord, Workspace

__all__ = ["Listed", "Snapshot"]


class _Record(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Record)


class Listed(Generic[R]):
    """The records of one kind in a workspace, as this deployment knows them."""

    def __init__(
        self,
        *,
        fetch_all: Callable[[], Iterable[R]],
        fetch_one: Callable[[str], R],
        key: Callable[[R], str | None],
    ) -> None:
        """Nothing is fetched yet.

        Args:
            fetch_all: Gives every record, newest first.
            fetch_one: Gives one by id or raises `NotFound`.
            key: What a record is found by besides its id.
        """
        self._fetch_all = fetch_all
        self._fetch_one = fetch_one
        self._key = key
        self._lock = threading.Lock()
        self._records: dict[str, R] | None = None
        self._ids: dict[str, str] = {}
        self._reads = 0

    def get(self, record_id: str) -> R | None:
        """A record by id; None when it is gone.

        What the list does not hold is asked for by itself: a list alone never means that something is gone.
        """
        with self._lock:
            self._reads += 1
            known = self._all().get(record_id) if self._reads > 1 else None
        if known is not None:
            return known
        try:
            return self._fetch_one(record_id)
        except NotFound:
            return None

    def find(self, key: str) -> R | None:
        """The newest record with a key."""
        with self._lock:
            records = self._all()
            record_id = self._ids.get(key)
            return records.get(record_id) if record_id is not None else None

    def all(self) -> tuple[R, ...]:
        """Every record, newest first."""
        with self._lock:
            return tuple(self._all().values())

    def put(self, record: R) -> None:
        """Take note of a record that this deployment made or changed."""
        with self._lock:
            if self._records is not None:
                self._records[record.id] = record
                if (key := self._key(record)) is not None:
                    self._ids[key] = record.id

    def drop(self, record_id: str) -> None:
        """Take note of a record that this deployment removed."""
        with self._lock:
            if self._records is not None:
                self._records.pop(record_id, None)

    def _all(self) -> dict[str, R]:
        if self._records is None:
            self._records = {record.id: record for record in self._fetch_all()}
            for record in self._records.values():
                if (key := self._key(record)) is not None:
                    self._ids.setdefault(key, record.id)
        return self._records


class Snapshot:
    """What a workspace held when this deployment first looked, and what it changed since.

    Computations and VMs are found by their name, assets by their mark.
    """

    def __init__(self, workspace: Workspace) -> None:
        computations, assets, cvms = workspace.computations, workspace.assets, workspace.cvms
        self.computations: Listed[ComputationRecord] = Listed(
            fetch_all=lambda: computations.list(include=("agent_config", "manifest", "roles")),
            fetch_one=computations.get,
            key=lambda record: record.name,
        )
        self.assets: Listed[AssetRecord] = Listed(
            fetch_all=assets.list, fetch_one=assets.get, key=lambda record: unmarked(record.description)[1]
        )
        self.cvms: Listed[CvmRecord] = Listed(
            fetch_all=cvms.list, fetch_one=cvms.get, key=lambda record: record.name
        )
