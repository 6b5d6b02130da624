"""`prism-iac vms`: the confidential VMs of a workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._completion import VmName
from prism_iac.cli._given import given
from prism_iac.cli._help import example
from prism_iac.cli._lookup import by_name_or_id
from prism_iac.cli._output import AsJson, emit, emit_facts, emit_json, emit_table, moment, say
from prism_iac.cli._prism import Prism, the_data_folder

if TYPE_CHECKING:
    from prism_iac.cli._documents import VmImageDocument
    from prism_iac.hypervisor import Vm
    from prism_iac.hypervisor.local import LocalHypervisor
    from prism_iac.hypervisor.qemu import QemuHypervisor

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


@app.command(epilog=example("prism-iac vms image"))
def image(
    *,
    again: Annotated[bool, typer.Option(help="Build it anew, from the packages of today.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the image that VMs of the provider qemu boot.

    Kernel, Python and busybox come from Debian packages, the agent from this installation. The same packages give
    the same bytes. It is kept in the user's cache, and built once for each version of the agent.
    """
    from prism_iac.hypervisor.qemu.guest import COMMAND_LINE, build_image

    built = build_image(os.environ, report=say, again=again)
    facts = built.facts()
    if as_json:
        document: VmImageDocument = {
            "kernel": str(built.kernel),
            "initrd": str(built.initrd),
            "cmdline": COMMAND_LINE,
            "sha256": facts["files"],
            "packages": facts["packages"],
        }
        emit_json(document)
        return
    emit_facts(
        (
            ("kernel", str(built.kernel)),
            ("SHA-256", facts["files"]["kernel"]),
            ("initrd", str(built.initrd)),
            ("SHA-256", facts["files"]["initrd"]),
            ("command line", COMMAND_LINE),
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
    for hypervisor, vm in _chosen(vms, every=every):
        if vm.running:
            hypervisor.stop(vm.id)
        emit(f"{vm.name}: {'stopped' if vm.running else 'not running'}")


@app.command(epilog=example("prism-iac vms start --all"))
def start(vms: LocalVms = None, *, every: Every = False) -> None:
    """Start VMs of this machine that were stopped, or ended with it."""
    for hypervisor, vm in _chosen(vms, every=every):
        if not vm.running:
            hypervisor.start(vm.id)
        emit(f"{vm.name}: {'running' if vm.running else 'started'}")


def _chosen(names: list[str] | None, *, every: bool) -> list[tuple[LocalHypervisor | QemuHypervisor, Vm]]:
    if bool(names) is every:
        raise typer.BadParameter("name VMs, or say --all")
    keepers = {vm.id: (hypervisor, vm) for hypervisor in _hypervisors() for vm in hypervisor.list()}
    known = [vm for _, vm in keepers.values()]
    chosen = known if every else [by_name_or_id(known, name, what="VM") for name in names or ()]
    return [keepers[vm.id] for vm in chosen]


def _hypervisors() -> tuple[LocalHypervisor, QemuHypervisor]:
    """Those whose VMs are processes of this machine."""
    from prism_iac.hypervisor.local import LocalHypervisor
    from prism_iac.hypervisor.qemu import QemuHypervisor

    data = the_data_folder()
    return LocalHypervisor(data), QemuHypervisor(data)


def _local(vm_id: str) -> Vm | None:
    return next((vm for hypervisor in _hypervisors() if (vm := hypervisor.find(vm_id)) is not None), None)


def _process_facts(local: Vm | None) -> tuple[tuple[str, str | int | None], ...]:
    if local is None:
        return ()
    return (
        ("process", f"{local.pid}, {'running' if local.running else 'ended'}"),
        ("console", str(local.folder / "console.log")),
        ("launch measurement", local.launch_measurement),
    )
