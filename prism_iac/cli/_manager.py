"""`prism-iac manager`: a host of confidential VMs of the local hypervisor, as Cocos' manager is one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli._output import emit
from prism_iac.cli._prism import the_data_folder
from prism_iac.errors import Finding, InvalidInput

__all__ = ["app"]

app: Final = typer.Typer(help="A host of VMs, served as Cocos' manager does.", no_args_is_help=True)

_PORTS: Final = 1 << 16


@app.callback()
def manager() -> None:
    """A host of VMs, served as Cocos' manager does."""


@app.command(
    epilog=example(
        "prism-iac manager run",
        "prism-iac manager run --listen 192.0.2.10:7020 --certificate server.pem --key server.key --client-ca ca.pem",
    )
)
def run(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where it listens; its agents listen on the same host.")
    ] = "127.0.0.1:7020",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder in which it keeps everything; .prism/manager of the project when left out.",
            show_default=False,
        ),
    ] = None,
    *,
    max_vms: Annotated[int, typer.Option(min=0, help="How many VMs may run at once; 0 for any number.")] = 10,
    vcpus: Annotated[int, typer.Option(min=1, help="The virtual processors of a VM.")] = 2,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Its certificate (PEM), for TLS."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Its private key (PEM).")
    ] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="The CA of its clients (PEM), for mutual TLS."
        ),
    ] = None,
) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM.

    Its VMs are processes of this machine and live on; started again with the same folder, it takes them over. One
    that was made with a time to live is removed when that is over, also after a restart.
    """
    from prism_iac.hypervisor.manager import ManagerSettings, serve

    host, port = _endpoint(listen)
    _check_files(certificate, key, client_ca)
    settings = ManagerSettings(
        data=data or the_data_folder() / "manager",
        host=host,
        port=port,
        max_vms=max_vms,
        vcpus=vcpus,
        certificate=certificate.read_bytes() if certificate else None,
        key=key.read_bytes() if key else None,
        client_ca=client_ca.read_bytes() if client_ca else None,
    )
    serve(settings, on_ready=emit)


def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < _PORTS):
        raise typer.BadParameter(f'"{text}" is not HOST:PORT', param_hint="--listen")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _check_files(certificate: Path | None, key: Path | None, client_ca: Path | None) -> None:
    findings = []
    if (certificate is None) is not (key is None):
        findings.append(
            Finding(path="--key", message="certificate and key come together", fix="Name both, or neither.")
        )
    if client_ca is not None and certificate is None:
        findings.append(
            Finding(
                path="--client-ca",
                message="clients cannot be known without TLS",
                fix="Name --certificate and --key as well.",
            )
        )
    if findings:
        raise InvalidInput(findings)
