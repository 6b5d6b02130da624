"""`prism-iac policy`: what participants expect of a VM, written, signed, shown and tried.

Main entries: `app`, and `measurement`, which is a command of the backend's too. Each idea has a module; `_file.py` reads and
writes what they share, `_expectations.py` reads what options say of fields.
"""

from __future__ import annotations

from typing import Final

import typer

from prism_iac.cli._help import example
from prism_iac.cli.policy._convert import convert, sign
from prism_iac.cli.policy._create import create
from prism_iac.cli.policy._diff import diff
from prism_iac.cli.policy._edit import hostdata, measurement
from prism_iac.cli.policy._file import Form, require_signature
from prism_iac.cli.policy._show import show
from prism_iac.cli.policy._strength import strength

__all__ = ["Form", "app", "measurement", "require_signature"]

app: Final = typer.Typer(help="Policies: what participants expect of a VM.", no_args_is_help=True)

app.command(epilog=example('prism-iac policy measurement "$MEASUREMENT" attestation_policy.json'))(
    measurement
)
app.command(epilog=example('prism-iac policy hostdata "$HOST_DATA" attestation_policy.json'))(hostdata)
app.command(
    epilog=example(
        "prism-iac policy create --vm trainer --output policy.json",
        "prism-iac policy create --evidence evidence.bin --form corim --output policy.corim",
        "prism-iac policy create --measurement 5c… --product Milan --set policy.vmpl=2 --output policy.json",
    )
)(create)
app.command(epilog=example("prism-iac policy sign policy.corim --key ada.pem --output policy.cose"))(sign)
app.command(epilog=example("prism-iac policy show policy.corim --key ada.pub.pem"))(show)
app.command(epilog=example("prism-iac policy convert policy.json --form corim --output policy.corim"))(
    convert
)
app.command(epilog=example("prism-iac policy strength --policy policy.json --evidence evidence.bin"))(
    strength
)
app.command(epilog=example("prism-iac policy diff old.json new.json --fail-on looser"))(diff)
