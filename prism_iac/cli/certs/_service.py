"""`prism-iac certs list|renew|revoke`: what Prism's certificate service has issued for the VMs of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson, emit_json, emit_table, moment, printable, say
from prism_iac.cli._prism import Prism
from prism_iac.errors import Conflict

if TYPE_CHECKING:
    from prism_iac.prism import CertificateRecord

__all__ = ["list_", "renew", "revoke"]

Serials = Annotated[
    list[str],
    typer.Argument(metavar="SERIAL...", help="Serial numbers, decimal, as `certs list` shows them."),
]


@given(Prism)
def list_(
    prism: Prism,
    *,
    vm: Annotated[str | None, typer.Option(metavar="VM", help="Those of one VM, by its name or id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the certificates that Prism has issued, newest first."""
    from prism_iac.cli._as_documents import issued_document

    records = list(prism.workspace.certificates.list(cvm_id=prism.vm(vm).id if vm else None))
    if as_json:
        emit_json([issued_document(record) for record in records])
        return
    emit_table(
        ("SERIAL", "VM", "REVOKED", "ENDS"),
        (
            (item.serial_number, item.entity_id, "yes" if item.revoked else "no", moment(item.expiry_time))
            for item in records
        ),
    )


@given(Prism)
def renew(prism: Prism, serials: Serials) -> None:
    """Let certificates end later, with the same serial numbers and keys.

    Whoever uses one fetches its file anew. A certificate that is revoked cannot be renewed.
    """
    for record in _found(prism, serials):
        prism.workspace.certificates.renew(record.serial_number)
        (renewed,) = _found(prism, [record.serial_number])
        say(f"renewed {record.serial_number}: it ends on {moment(renewed.expiry_time)}")


@given(Prism)
def revoke(
    prism: Prism,
    serials: Serials,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Revoke certificates at once; their VMs no longer connect with them.

    A bundle of the stack notices at its next refresh, and its next update issues others.
    """
    for record in _found(prism, serials):
        if not yes:
            question = f"Revoke {record.serial_number} of the VM {printable(record.entity_id)} for good?"
            typer.confirm(question, abort=True, err=True)
        prism.workspace.certificates.revoke(record.serial_number)
        say(f"revoked {record.serial_number}")


def _found(prism: Prism, serials: list[str]) -> list[CertificateRecord]:
    """The records of serial numbers, all of them before anything is done.

    Raises:
        Conflict: The workspace has no certificate with one of them.
    """
    known = {item.serial_number: item for item in prism.workspace.certificates.list()}
    for serial in serials:
        if serial not in known:
            raise Conflict(
                f"the workspace has no certificate with the serial number {printable(serial)}",
                next_step="`prism-iac certs list` shows them.",
            )
    return [known[serial] for serial in dict.fromkeys(serials)]
