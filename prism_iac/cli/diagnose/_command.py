"""The command: runs every check and tells what it found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from prism_iac.cli._agent import Agent, ClientCertificate, ClientKey, Roots, ServerCa
from prism_iac.cli._completion import ComputationName
from prism_iac.cli._given import given
from prism_iac.cli._output import AsJson
from prism_iac.cli._prism import Prism

__all__ = ["diagnose"]


@given(Prism)
def diagnose(
    prism: Prism,
    computation: ComputationName,
    *,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            envvar="AGENT_GRPC_ATTESTATION_POLICY",
            help="What the agent's evidence must say: JSON, CoRIM or signed CoRIM.",
        ),
    ] = None,
    roots: Roots = None,
    server_ca: ServerCa = None,
    client_certificate: ClientCertificate = None,
    client_key: ClientKey = None,
    as_json: AsJson = False,
) -> None:
    """Find out what keeps a computation from its result.

    Looks at its roles, assets, keys and TLS files, at its VM and the agent, at uploads that are awaited and at the
    latest run, and changes nothing. The exit code is 1 when something is wrong.
    """
    from prism_iac.cli._checks import report, run_checks
    from prism_iac.cli.diagnose._checks import CHECKS
    from prism_iac.cli.diagnose._subject import Subject

    record = prism.computation(computation)
    agent = Agent(
        computation=record.id,
        server_ca=server_ca,
        client_certificate=client_certificate,
        client_key=client_key,
        attestation_policy=policy,
        roots=roots,
    )
    subject = Subject(prism, record, agent, now=datetime.now(UTC))
    report(run_checks(CHECKS, subject), as_json=as_json)
