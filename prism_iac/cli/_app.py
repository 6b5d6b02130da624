"""Every command of `prism-iac` with its name."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from prism_iac.cli import (
    _attestation,
    _backend,
    _checksum,
    _computations,
    _env,
    _keys,
    _manager,
    _result,
    _rules,
    _schema,
    _stack,
    _uploads,
    _validate,
    _vms,
)
from prism_iac.cli._help import EXIT_CODES_HELP, example
from prism_iac.cli._output import emit
from prism_iac.cli.calendar import calendar
from prism_iac.cli.certs import app as certs
from prism_iac.cli.diagnose import diagnose
from prism_iac.cli.doctor import doctor
from prism_iac.cli.ephemeral import app as ephemeral
from prism_iac.cli.exchange import adopt, backup, export, import_, restore, switch
from prism_iac.cli.forge import comment, identity
from prism_iac.cli.init import init
from prism_iac.cli.measure._command import measure
from prism_iac.cli.plan import plan, up
from prism_iac.cli.policy import app as policy
from prism_iac.cli.policy import measurement
from prism_iac.cli.promotion import lock, manifest, promote
from prism_iac.cli.repair import orphans, repair

__all__ = ["app"]

app: Final = typer.Typer(
    name="prism-iac",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it comes four times as fast
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        from prism_iac import __version__

        emit(__version__)
        raise typer.Exit


@app.callback(epilog=EXIT_CODES_HELP)
def prism_iac(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Confidential computations as code: stack files, the embedded Prism, and what participants do.

    Results go to standard output, messages to standard error. Colours are off when the output is no
    terminal or NO_COLOR is set; PRISM_IAC_TRACEBACK=1 shows where an error was raised.
    """


app.command(
    epilog=example("prism-iac init platform", "prism-iac init platform --name iris --workspace research")
)(init)
app.command(epilog=example("prism-iac validate stacks/dev.yaml"))(_validate.validate)
app.add_typer(_rules.app, name="rules")
app.add_typer(_stack.app, name="stack")
app.command(epilog=example("prism-iac schema stack > stack.schema.json"))(_schema.schema)
app.command(
    epilog=example(
        "prism-iac plan --stack dev",
        "prism-iac plan --stack prod --format json --output plan.json --exit-code",
        "prism-iac plan --at 2027-01-31",
    )
)(plan)
app.command(epilog=example("prism-iac up --stack dev", "prism-iac up --plan plan.json --yes"))(up)
app.command(epilog=example("prism-iac repair --dry-run", "prism-iac repair --stack dev --yes"))(repair)
app.command(
    epilog=example("prism-iac orphans --stack dev --stack staging", "prism-iac orphans --stack dev --delete")
)(orphans)
app.command(
    epilog=example(
        "prism-iac comment --plan plan.json", 'prism-iac comment --plan plan.json --head "$HEAD_SHA"'
    )
)(comment)
app.add_typer(ephemeral, name="ephemeral")
app.add_typer(identity, name="identity")
app.add_typer(manifest, name="manifest")
app.command(
    epilog=example("prism-iac lock --stack stacks/dev.yaml", "prism-iac lock --stack stacks/dev.yaml --check")
)(lock)
app.add_typer(promote, name="promote")
app.add_typer(_backend.app, name="backend")
_backend.app.command(epilog=example('prism-iac backend measurement "$MEASUREMENT" attestation_policy.json'))(
    measurement
)
app.add_typer(_manager.app, name="manager")
app.add_typer(policy, name="policy")
app.add_typer(_keys.app, name="keys")
app.add_typer(certs, name="certs")
app.command(epilog=example("prism-iac checksum iris.csv"))(_checksum.checksum)
app.command(
    epilog=example(
        "prism-iac measure --mode snp --vcpus 4 --vcpu-type EPYC-v4 --ovmf OVMF.fd --kernel bzImage"
    )
)(measure)
app.add_typer(_attestation.app, name="attestation")
app.add_typer(_computations.app, name="computations")
app.add_typer(_vms.app, name="vms")
app.command("import", epilog=example("prism-iac import computations.csv --dry-run"))(import_)
app.command(epilog=example("prism-iac export --layout csv --output computations.csv"))(export)
app.command(epilog=example("prism-iac adopt iris-regression --stack dev"))(adopt)
app.command(epilog=example("prism-iac backup research.zip"))(backup)
app.command(epilog=example("prism-iac restore research.zip --workspace copy"))(restore)
app.command(epilog=example("prism-iac switch native --stack dev"))(switch)
app.command(
    epilog=example("prism-iac algo lin_reg.py --type python --computation iris-regression --key grace.pem")
)(_uploads.algo)
app.command(epilog=example("prism-iac data iris.csv --computation iris-regression --key ada.pem"))(
    _uploads.data
)
app.command(epilog=example("prism-iac result --computation iris-regression --key ada.pem --extract out"))(
    _result.result
)
app.command(epilog=example('eval "$(prism-iac env iris-regression --files .prism/certs)"'))(_env.env)
app.command(
    epilog=example(
        "prism-iac calendar --days 30", "prism-iac calendar --at 2027-01-31 --ics certificates.ics"
    )
)(calendar)
app.command(epilog=example("prism-iac doctor"))(doctor)
app.command(
    epilog=example(
        "prism-iac diagnose iris-regression", "prism-iac diagnose iris-regression --policy policy.json --json"
    )
)(diagnose)
