"""Which checks there are, and in which order they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prism_iac.cli._prism import Prism
from prism_iac.cli.doctor._certificates import check_certificates
from prism_iac.cli.doctor._folder import check_data_folder, check_ports
from prism_iac.cli.doctor._outcome import Outcome, Verdict, failed, skipped
from prism_iac.cli.doctor._peer import check_backend, check_clock, check_credentials, check_workspace
from prism_iac.cli.doctor._programs import check_language_host, check_pulumi, check_python
from prism_iac.errors import PrismError

__all__ = ["CHECKS", "Check", "run_checks"]


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        run: Does it; an error of this package counts as a failure.
        needs: The check without whose success this one makes no sense.
    """

    run: Callable[[Prism], Outcome]
    needs: str | None = None


CHECKS: Final = {
    "python": Check(check_python),
    "pulumi": Check(check_pulumi),
    "language host": Check(check_language_host, needs="pulumi"),
    "data folder": Check(check_data_folder),
    "ports": Check(check_ports),
    "backend": Check(check_backend),
    "clock": Check(check_clock, needs="backend"),
    "credentials": Check(check_credentials, needs="backend"),
    "workspace": Check(check_workspace, needs="credentials"),
    "certificates": Check(check_certificates, needs="workspace"),
}
"""Every check by its name; what a check needs stands before it."""


def run_checks(prism: Prism) -> dict[str, Outcome]:
    """What every check found, by its name."""
    outcomes: dict[str, Outcome] = {}
    for name, check in CHECKS.items():
        if check.needs is not None and outcomes[check.needs].verdict is not Verdict.OK:
            outcomes[name] = skipped(f"it needs: {check.needs}")
        else:
            outcomes[name] = _outcome(check, prism)
    return outcomes


def _outcome(check: Check, prism: Prism) -> Outcome:
    try:
        return check.run(prism)
    except PrismError as error:
        return failed(error.where or "-", cause=error.message, fix=error.next_step)
