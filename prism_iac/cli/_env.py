"""`prism-iac env`: the variables with which any tool of the field reaches the agent of a run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prism_iac.cli._agent import ROOTS, tls_mode_of
from prism_iac.cli._completion import ComputationName
from prism_iac.cli._files import PRIVATE, write_file
from prism_iac.cli._given import given
from prism_iac.cli._output import emit
from prism_iac.cli._prism import Prism, the_data_folder
from prism_iac.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from prism_iac.prism import ComputationRecord

__all__ = ["env"]

_POLICY: Final = "attestation_policy"


def _file_option(name: str, text: str) -> Any:
    return typer.Option(name, metavar="FILE", exists=True, dir_okay=False, resolve_path=True, help=text)


@given(Prism)
def env(
    prism: Prism,
    computation: ComputationName,
    *,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            resolve_path=True,
            help="Write what the TLS mode needs and no option names there, each time anew: ca.pem, cert.pem "
            "and key.pem from the outputs of the Pulumi stack, attestation-policy.json from Prism, and "
            "attestation-roots.pem where the VM is one of this machine.",
        ),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The Pulumi stack; the selected one when left out.")
    ] = None,
    server_ca: Annotated[Path | None, _file_option("--server-ca", "The CA of the agent.")] = None,
    client_certificate: Annotated[Path | None, _file_option("--client-cert", "Your certificate.")] = None,
    client_key: Annotated[Path | None, _file_option("--client-key", "Its private key.")] = None,
    attestation_policy: Annotated[
        Path | None, _file_option("--attestation-policy", "What the agent's evidence must say.")
    ] = None,
) -> None:
    """Print the variables that lead to a computation's agent.

    They are `export AGENT_GRPC_...` lines for a shell to evaluate, of the latest run and its TLS mode.
    """
    from prism_iac.agent import AgentFiles, agent_environment

    record = prism.computation(computation)
    run = prism.run_of(record)
    if not run.agent_address:
        raise Conflict(f"Prism does not know where the agent of run {run.number} is")
    named = AgentFiles(server_ca, client_certificate, client_key, attestation_policy)
    mode = tls_mode_of(record)
    try:
        variables = agent_environment(run.agent_address, mode, named)
    except InvalidInput as error:
        if files is None:
            fix = "Say --files DIR to have it written there, or name the file."
            raise InvalidInput(replace(finding, fix=fix) for finding in error.findings) from error
        files.mkdir(parents=True, exist_ok=True, mode=0o700)
        missing = {finding.path for finding in error.findings}
        written = _write_certificates(missing - {_POLICY}, files, record, stack)
        if _POLICY in missing:
            written[_POLICY] = _write_policy(files, prism, run.cvm_id)
        variables = agent_environment(run.agent_address, mode, replace(named, **written))
    if files is not None and mode.is_attested and prism.is_embedded:
        variables |= _write_roots(files, run.cvm_id)
    emit("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))


def _write_certificates(
    missing: set[str], folder: Path, record: ComputationRecord, stack: str | None
) -> dict[str, Path]:
    """The missing PEM files, written; by the field of `AgentFiles`."""
    from prism_iac.cli._pulumi import find_bundle, load_bundles

    if not missing or record.agent_config is None:
        return {}
    bundle = find_bundle(load_bundles(stack), record.agent_config)
    known = {
        "server_ca": ("ca.pem", bundle.ca_certificate),
        "client_certificate": ("cert.pem", bundle.client_certificate),
        "client_key": ("key.pem", bundle.client_key),
    }
    written = {}
    for field in sorted(missing):
        name, pem = known[field]
        if pem is not None:
            written[field] = folder / name
            write_file(written[field], pem.encode(), mode=PRIVATE, force=True)
    return written


def _write_policy(folder: Path, prism: Prism, vm_id: str) -> Path:
    path = folder / "attestation-policy.json"
    write_file(path, prism.workspace.cvms.attestation_policy(vm_id), mode=PRIVATE, force=True)
    return path


def _write_roots(folder: Path, vm_id: str) -> dict[str, str]:
    """The variable with the root of this machine's simulated platform, where the VM's evidence is of it."""
    from prism_iac.hypervisor.local import LocalHypervisor
    from prism_iac.hypervisor.qemu import QemuHypervisor

    data = the_data_folder()
    for hypervisor in (LocalHypervisor(data), QemuHypervisor(data)):
        vm = hypervisor.find(vm_id)
        if (
            vm is not None
            and vm.evidence_at is not None
            and (roots := hypervisor.evidence_roots()) is not None
        ):
            break
    else:
        return {}
    path = folder / "attestation-roots.pem"
    write_file(path, roots, mode=PRIVATE, force=True)
    return {ROOTS: str(path)}
