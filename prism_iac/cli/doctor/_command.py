"""The command: runs every check and tells what it found."""

from __future__ import annotations

from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson
from prism_iac.cli._prism import Prism

__all__ = ["doctor"]


@given(Prism)
def doctor(prism: Prism, *, as_json: AsJson = False) -> None:
    """Find out what keeps this machine from working.

    Looks at Python, the Pulumi CLI, the data folder, the disk, the backend, versions, the clock, tokens,
    credentials and certificates, and changes nothing. The exit code is 1 when something is wrong.
    """
    from prism_iac.cli._checks import report, run_checks
    from prism_iac.cli.doctor._checks import CHECKS

    report(run_checks(CHECKS, prism), as_json=as_json)
