"""What `lifecycle` knows of computations and runs, for commands that need the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from prism_iac.cli._output import say
from prism_iac.cli._prism import Prism, the_data_folder
from prism_iac.lifecycle import HANDLERS, Context, Live, Session, Settings
from prism_iac.model.resources import Computation, ComputationRun
from prism_iac.prism import ComputationRecord, RunRecord

__all__ = ["delete_computation", "fetch_result_digest"]

_UNSAID: Final = "-"
"""Stands for what a read fills in."""


def delete_computation(prism: Prism, record: ComputationRecord, exports: Path) -> None:
    """Write a computation's definition to a file, then delete it.

    Raises:
        Conflict: A run is going on.
    """
    handler = HANDLERS[Computation.kind]
    known = Computation(
        workspace=prism.domain.id,
        name=record.name,
        description=record.description or _UNSAID,
        export_directory=str(exports),
    )
    with _context(prism, record.name) as context:
        live = handler.read(Live(record.id, known), context)
        if live is not None:
            handler.delete(live, context)


def fetch_result_digest(prism: Prism, run: RunRecord) -> bytes | None:
    """The SHA3-256 of a run's result as its agent told Prism; None while it has told none."""
    known = ComputationRun(
        workspace=prism.domain.id, computation=run.computation_id, vm=run.cvm_id or _UNSAID
    )
    with _context(prism, run.id) as context:
        live = HANDLERS[ComputationRun.kind].read(Live(run.id, known), context)
    digest: str | None = live.state.result_sha3_256 if live else None
    return bytes.fromhex(digest) if digest else None


@contextmanager
def _context(prism: Prism, name: str) -> Iterator[Context]:
    # As the very user of this command, on the embedded backend too.
    settings = Settings(endpoint=prism.url, data=the_data_folder(), credentials=prism.credentials)
    with closing(Session(settings)) as session:
        yield Context(
            name=name,
            identity="",
            session=session,
            default_workspace=prism.domain.id,
            now=lambda: datetime.now(UTC),
            pause=time.sleep,
            report=say,
        )
