"""Approves the latest record of an environment with one more signature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prism_iac.errors import Conflict
from prism_iac.pki import load_private_key
from prism_iac.promotion._signer import name_of_signer
from prism_iac.promotion._write import write_text
from prism_iac.spec import load_stack
from prism_iac.spec.promotions import (
    Approvals,
    Promotion,
    approvals_of,
    read_record,
    read_records,
    records_folder,
    terms_of,
    verify_history,
    verify_links,
)

__all__ = ["Approved", "approve"]


@dataclass(frozen=True, slots=True)
class Approved:
    """A record with one more approval."""

    promotion: Promotion
    by: str
    approvals: Approvals


def approve(record_file: Path, *, stack_file: Path, key_pem: bytes) -> Approved:
    """Sign a record as an approver.

    Args:
        record_file: The latest record of the environment; an earlier one is sealed by what follows it.
        stack_file: The stack file of the environment, which names the approvers and their keys.
        key_pem: The approver's private key.

    Raises:
        Conflict: It is not the latest, the key is no approver's, or the approver promoted it themselves.
        VerificationFailure: The records do not hold.
    """
    stack = load_stack(stack_file)
    terms = terms_of(stack)
    records = read_records(records_folder(stack_file, stack))
    verify_links(records, stack.environment)
    verify_history(records[:-1])
    if not records or not record_file.samefile(records[-1].path):
        latest = f"{records[-1].path} is" if records else "there is none"
        raise Conflict(
            f"this is not the latest record of {stack.environment}; {latest}",
            where=str(record_file),
            next_step="Approve the latest.",
        )
    record = records[-1]
    approvals_of(record, terms)
    name = name_of_signer(key_pem, terms, stack_file=stack_file)
    if name not in terms.approvers:
        raise Conflict(
            f"{name} is no approver of {stack.environment}",
            where=str(stack.origin("promotion")),
            next_step=f"Ask one of them: {', '.join(terms.approvers) or 'none is named'}.",
        )
    if name == record.promotion.promoted_by:
        raise Conflict(
            f"{name} promoted it, and nobody approves what is their own",
            where=str(record_file),
            next_step="Ask another approver.",
        )
    signed = record.envelope.signed(load_private_key(key_pem))
    write_text(record.path, signed.to_bytes().decode())
    written = read_record(record.path)
    return Approved(written.promotion, name, approvals_of(written, terms))
