"""`prism-iac vms`: the confidential VMs of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._completion import VmName
from prism_iac.cli._given import given
from prism_iac.cli._help import example
from prism_iac.cli._lookup import by_name_or_id
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json, emit_table, moment
from prism_iac.cli._prism import Prism, the_data_folder

if TYPE_CHECKING:
    from prism_iac.hypervisor import Vm
    from prism_iac.hypervisor.local import LocalHypervisor

__all__ = ["app"]

app: Final = typer.Typer(help="The confidential VMs of a workspace.", no_args_is_help=True)


@app.command("list", epilog=example("prism-iac vms list"))
@given(Prism)
def list_(prism: Prism, *, as_json: AsJson = False) -> None:
    """List the VMs of the workspace, newest first.

    Removed ones are left out.
    """
    from prism_iac.cli._as_documents import vm_document

    records = list(prism.workspace.cvms.list())
    if as_json:
        emit_json([vm_document(record) for record in records])
        return
    emit_table(
        ("NAME", "STATUS", "STATE", "PLATFORM", "VCPUS", "AGENT", "ID"),
        (
            (
                record.name,
                record.status,
                record.state,
                record.cc_platform,
                record.vcpus,
                record.agent_address,
                record.id,
            )
            for record in records
        ),
    )


@app.command(epilog=example("prism-iac vms show trainer-3f9c2d1"))
@given(Prism)
def show(prism: Prism, vm: VmName, *, as_json: AsJson = False) -> None:
    """Show a VM.

    One that is a process of this machine is shown with its process and its console.
    """
    from prism_iac.cli._as_documents import vm_details

    record = prism.vm(vm)
    local = _local(record.id) if prism.is_embedded else None
    if as_json:
        emit_json(vm_details(record, local))
        return
    emit_facts(
        (
            ("name", record.name),
            ("id", record.id),
            ("machine", record.cvm_id),
            ("status", record.status),
            ("state", record.state),
            ("provider", record.provider),
            ("platform", record.cc_platform),
            ("vCPUs", record.vcpus),
            ("agent", record.agent_address),
            ("log level", record.agent_log_level),
            ("created", moment(record.created_at)),
            *_process_facts(local),
        )
    )


LocalVms = Annotated[
    list[str] | None,
    typer.Argument(metavar="VM", help="Their names or ids.", show_default=False),
]
Every = Annotated[bool, typer.Option("--all", help="Every VM of this machine.")]


@app.command(epilog=example("prism-iac vms stop --all"))
def stop(vms: LocalVms = None, *, every: Every = False) -> None:
    """End the processes of VMs of this machine and keep their files.

    A run that is going on there fails. `start` brings them back with their names, addresses and
    certificates.
    """
    hypervisor = _hypervisor()
    for vm in _chosen(hypervisor, vms, every=every):
        if vm.running:
            hypervisor.stop(vm.id)
        emit(f"{vm.name}: {'stopped' if vm.running else 'not running'}")


@app.command(epilog=example("prism-iac vms start --all"))
def start(vms: LocalVms = None, *, every: Every = False) -> None:
    """Start VMs of this machine that were stopped, or ended with it."""
    hypervisor = _hypervisor()
    for vm in _chosen(hypervisor, vms, every=every):
        if not vm.running:
            hypervisor.start(vm.id)
        emit(f"{vm.name}: {'running' if vm.running else 'started'}")


def _chosen(hypervisor: LocalHypervisor, names: list[str] | None, *, every: bool) -> tuple[Vm, ...]:
    if bool(names) is every:
        raise typer.BadParameter("name VMs, or say --all")
    known = hypervisor.list()
    return known if every else tuple(by_name_or_id(known, name, what="VM") for name in names or ())


def _hypervisor() -> LocalHypervisor:
    from prism_iac.hypervisor.local import LocalHypervisor

    return LocalHypervisor(the_data_folder())


def _local(vm_id: str) -> Vm | None:
    return _hypervisor().find(vm_id)


def _process_facts(local: Vm | None) -> tuple[tuple[str, str | int | None], ...]:
    if local is None:
        return ()
    return (
        ("process", f"{local.pid}, {'running' if local.running else 'ended'}"),
        ("console", str(local.folder / "console.log")),
    )
