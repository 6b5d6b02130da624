"""The files of records: `promotions/<environment>/0001-from-dev.json` beside the stack files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prism_iac.errors import InvalidInput, VerificationFailure
from prism_iac.pki import Envelope
from prism_iac.spec._stack import Stack
from prism_iac.spec.promotions._statement import PAYLOAD_TYPE, Promotion

__all__ = ["Record", "broken", "file_name", "read_record", "read_records", "records_folder"]

_FOLDER: Final = "promotions"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is in its file; nothing of it is verified.

    Attributes:
        sha256: Of the file's bytes; what the next record names.
    """

    path: Path
    envelope: Envelope
    promotion: Promotion
    sha256: str


def file_name(promotion: Promotion) -> str:
    """The name that the file of a promotion has."""
    return f"{promotion.number:04}-from-{promotion.source}.json"


def records_folder(stack_file: Path, stack: Stack) -> Path:
    """The folder of the records of a stack's environment."""
    return stack_file.parent / _FOLDER / stack.environment


def read_record(path: Path) -> Record:
    """One record.

    Raises:
        VerificationFailure: The file is no record.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    try:
        envelope = Envelope.parse(data)
        promotion = Promotion.parse(envelope.payload)
    except InvalidInput as error:
        raise broken(path, "; ".join(finding.message for finding in error.findings)) from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise broken(path, f"its payload is no {PAYLOAD_TYPE}")
    return Record(path, envelope, promotion, hashlib.sha256(data).hexdigest())


def read_records(folder: Path) -> list[Record]:
    """The records in a folder by their numbers; none where there is no folder.

    Raises:
        VerificationFailure: A file is no record.
    """
    if not folder.is_dir():
        return []
    records = [read_record(path) for path in folder.iterdir() if _is_record(path)]
    return sorted(records, key=lambda record: (record.promotion.number, record.path.name))


def broken(path: Path, message: str) -> VerificationFailure:
    """That a record is not what it must be."""
    return VerificationFailure(
        message, where=str(path), next_step="Bring the records back as they were, from the repository."
    )


def _is_record(path: Path) -> bool:
    # What writes a file of its own first gives it a name that begins with a dot.
    return not path.name.startswith(".")
