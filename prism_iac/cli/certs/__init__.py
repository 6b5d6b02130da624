"""`prism-iac certs`: certificates looked at, checked and made, and those that Prism has issued.

Main entry: `app`. Each command has a module; what they read is in `_input.py`, what they make certificates from in
`_wanted.py`. Only `_service.py` asks Prism.
"""

from __future__ import annotations

from typing import Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli.certs._bundle import bundle
from prism_iac.cli.certs._check import check
from prism_iac.cli.certs._inspect import inspect
from prism_iac.cli.certs._issue import issue
from prism_iac.cli.certs._service import list_, renew, revoke

__all__ = ["app"]

app: Final = typer.Typer(
    help="Certificates: looked at, checked and made; and those that Prism issues.", no_args_is_help=True
)

app.command(epilog=example("prism-iac certs inspect server-cert.pem ca-cert.pem"))(inspect)
app.command(
    epilog=example(
        "prism-iac certs check server-cert.pem --key server-key.pem --ca ca-cert.pem --address 10.0.0.7:7002",
        "prism-iac certs check client-cert.pem --ca ca-cert.pem --for client --at 2027-01-31",
    )
)(check)
app.command(
    epilog=example(
        "prism-iac certs issue --name agent --address agent.example --ca ca-cert.pem --ca-key ca-key.pem",
        "prism-iac certs issue --request --name agent --address agent.example --output agent",
        "prism-iac certs issue agent-req.pem --ca ca-cert.pem --ca-key ca-key.pem",
    )
)(issue)
app.command(
    epilog=example(
        "prism-iac certs bundle certs --mode mtls --address localhost --address 10.0.0.7",
        "prism-iac certs bundle certs --server eu=eu.example --server us=us.example --client ada --client grace",
    )
)(bundle)
app.command("list", epilog=example("prism-iac certs list --vm trainer"))(list_)
app.command(epilog=example("prism-iac certs renew 41820077541196370915523018846210988341"))(renew)
app.command(epilog=example("prism-iac certs revoke 41820077541196370915523018846210988341 --yes"))(revoke)
