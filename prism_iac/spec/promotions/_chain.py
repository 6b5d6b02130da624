"""Verifies the records of an environment, from the first to the one that its lock rests on.

1. The files are records, numbered from 1 without a gap, and each has the name that it must have.
2. Each names the digest of the file before it, so the latest vouches for all.
3. Each is signed by its promoter and by nobody who may not: the latest by keys that the stack file names now, an
   earlier one by those that it states itself.
4. Each has the approvals that it takes: the latest those that the stack file asks for, an earlier one its own.
5. The latest says what the lock says, to the digest.

Not checked: that the runs took place. That was the promoter's to do, and the signature says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from prism_iac.errors import Conflict, VerificationFailure
from prism_iac.spec._stack import Stack
from prism_iac.spec.lock import lock_path, read_lock
from prism_iac.spec.promotions._approvals import Approvals, approvals_of, terms_of
from prism_iac.spec.promotions._records import Record, broken, file_name, read_records, records_folder

__all__ = ["require_promotion", "verify_history", "verify_links", "verify_promotions"]


def require_promotion(stack_file: Path, stack: Stack) -> None:
    """Refuse a lock that no verified record stands for, where the stack has `promotion:`.

    Raises:
        VerificationFailure: The records do not hold, or say something else than the lock.
        Conflict: There is no record, or approvals are missing.
    """
    if stack.promotion is not None:
        verify_promotions(stack_file, stack)


def verify_promotions(stack_file: Path, stack: Stack) -> Sequence[Record]:
    """The records of an environment, oldest first, once all of them hold (see the steps of the module).

    Raises:
        VerificationFailure: One does not hold, or the latest says something else than the lock.
        Conflict: There is none, or approvals of the latest are missing.
    """
    folder = records_folder(stack_file, stack)
    records = read_records(folder)
    if not records:
        raise Conflict(
            f"nothing was promoted to {stack.environment}",
            where=str(folder),
            next_step=f"Run `prism-iac promote` into {stack.environment}.",
        )
    verify_links(records, stack.environment)
    verify_history(records[:-1])
    _require_approvals(records[-1], approvals_of(records[-1], terms_of(stack)))
    _require_same_lock(records[-1], stack_file)
    return records


def verify_links(records: Sequence[Record], environment: str) -> None:
    """Steps 1 and 2.

    Raises:
        VerificationFailure: A record does not hold.
    """
    # 1.
    for number, record in enumerate(records, start=1):
        if record.promotion.number != number:
            raise broken(record.path, f"it has the number {record.promotion.number} where {number} follows")
        if record.path.name != file_name(record.promotion):
            raise broken(record.path, f"a record that says this is called {file_name(record.promotion)}")
        if record.promotion.environment != environment:
            raise broken(record.path, f"it is about the environment {record.promotion.environment}")
    # 2.
    if records and records[0].promotion.previous_sha256 is not None:
        raise broken(records[0].path, "it is the first, and names one before it")
    for before, record in pairwise(records):
        if record.promotion.previous_sha256 != before.sha256:
            raise broken(
                record.path, f"the record before it, {before.path.name}, is not the one that it names"
            )


def verify_history(records: Sequence[Record]) -> None:
    """Steps 3 and 4 for records that another follows, or will.

    Raises:
        VerificationFailure: A signature does not hold.
        Conflict: Approvals are missing.
    """
    for record in records:
        _require_approvals(record, approvals_of(record, record.promotion.terms))


def _require_approvals(record: Record, approvals: Approvals) -> None:
    if not approvals.are_reached:
        given = ", ".join(approvals.by) or "none"
        raise Conflict(
            f"it takes {approvals.required} approvals, and these are there: {given}",
            where=str(record.path),
            next_step=f"Approve it with `prism-iac promote approve {record.path} --stack FILE --key KEY`.",
        )


def _require_same_lock(record: Record, stack_file: Path) -> None:
    # 5.
    locked = read_lock(stack_file)
    if locked is None or locked.pins != record.promotion.lock:
        raise VerificationFailure(
            f"the lock does not say what {record.path.name} says",
            where=str(lock_path(stack_file)),
            next_step="Bring it back as it was promoted, or promote again.",
        )
