"""Makes several processes on one PostgreSQL database one instance: they have the same keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prism_iac.backend._errors import StartFailure
from prism_iac.backend._files import write_private, write_public
from prism_iac.backend.store import Database, hold, instance_keys

__all__ = ["share_keys"]

_FILES: Final = {"signing-key": write_private, "ca-key.pem": write_private, "ca.pem": write_public}
"""What tokens are signed with, and the authority."""


def share_keys(database: Database, data: Path, make: Callable[[], None]) -> None:
    """Have the instance's keys in a data folder: those in the database, or new ones, which are put there.

    A database in the folder itself serves one process, and holds none.

    Args:
        database: Of the instance.
        data: The folder of this process.
        make: Makes in the folder what is missing.

    Raises:
        StartFailure: The folder holds the keys of another instance.
    """
    if database.is_sqlite:
        make()
        return
    with database.writing() as session:
        hold(session.connection(), "keys")
        shared = instance_keys.all_of(session)
        if shared:
            _take(data, shared)
        else:
            make()
            instance_keys.put(session, {name: (data / name).read_bytes() for name in _FILES})


def _take(data: Path, shared: Mapping[str, bytes]) -> None:
    there = {name: (data / name).read_bytes() for name in _FILES if (data / name).exists()}
    if any(content != shared[name] for name, content in there.items()):
        raise StartFailure(
            "the folder holds the keys of another instance than the database",
            where=str(data),
            next_step="Give this replica an empty folder, or the database that the folder belongs to.",
        )
    for name in _FILES.keys() - there.keys():
        _FILES[name](data / name, shared[name])
