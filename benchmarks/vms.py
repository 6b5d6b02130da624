"""Forty VMs that take a second each, made at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.engine import WORKSPACE, noop_program, open_project, seconds, use_endpoint
from benchmarks.figures import Figure, difference
from benchmarks.gateway import open_gateway
from prism_iac.prism import start_embedded

__all__ = ["measure"]

_VMS: Final = 40
_PARALLEL: Final = "64"
_DELAY_SECONDS: Final = 1.0
_AT_MOST_SECONDS: Final = 2.0

_PROGRAM: Final = """\
import prism_iac

for number in range({size}):
    prism_iac.ConfidentialVM(f"vm-{{number}}", provider="external")
"""


def measure(*, quick: bool) -> Iterator[Figure]:
    """What the update takes beyond one of as many resources that do nothing."""
    times = [(_make_vms(), _make_nothing()) for _ in range(1 if quick else 3)]
    yield difference(
        f"{_VMS} VMs of 1 s each at -p {_PARALLEL}, beyond the engine's own time",
        *zip(*times, strict=True),
        at_most=_AT_MOST_SECONDS,
    )


def _make_vms() -> float:
    with open_project() as project:
        project.program(_PROGRAM.format(size=_VMS))
        with (
            start_embedded(project.folder / ".prism") as embedded,
            open_gateway(embedded.endpoint, delay_seconds=_delay) as gateway,
        ):
            admin = embedded.accounts.admin
            embedded.accounts.ensure_workspace(WORKSPACE)
            use_endpoint(project, gateway.endpoint, admin.username, admin.password)
            taken = seconds(project, "up", "--parallel", _PARALLEL)
            assert sum(_delay(*call) for call in gateway.calls) == _VMS * _DELAY_SECONDS
            return taken


def _make_nothing() -> float:
    with open_project() as project:
        project.program(noop_program(_VMS))
        return seconds(project, "up", "--parallel", _PARALLEL)


def _delay(method: str, path: str) -> float:
    return _DELAY_SECONDS if method == "POST" and "/cvms/external/" in path else 0.0
