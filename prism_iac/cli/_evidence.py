"""`prism-iac attestation fetch`: evidence of the VM that a computation runs on, for a nonce of one's own."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from prism_iac.cli._agent import Agent
from prism_iac.cli._files import PUBLIC, require_absent, write_file
from prism_iac.cli._given import given
from prism_iac.cli._octets import read_octets
from prism_iac.cli._output import emit
from prism_iac.cli._prism import Prism

__all__ = ["EvidenceName", "fetch"]

EvidenceName = Literal["snp", "vtpm", "snp-vtpm", "azure", "tdx"]

_FRESH_NONCE_BYTES: Final = 32
"""Agents with attested TLS answer none that is longer."""
_TPM_NONCE_BYTES: Final = 32


@given(Prism)
@given(Agent)
def fetch(
    agent: Agent,
    prism: Prism,
    *,
    nonce: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="What the evidence must hold, 1 to 64 bytes, and at most 32 with attested TLS; a fresh one is made "
            "and printed when left out.",
        ),
    ] = None,
    evidence_type: Annotated[
        EvidenceName, typer.Option("--type", help="What the VM's platform gives.")
    ] = "snp",
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the evidence goes.")] = Path(
        "evidence.bin"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Fetch evidence from the agent of a computation; it is not verified here.

    A run must be going on. A TPM gets the first 32 bytes of the nonce.
    """
    from prism_iac.agent import EvidenceType

    if not force:
        require_absent(output)
    sent = secrets.token_bytes(_FRESH_NONCE_BYTES) if nonce is None else read_octets("--nonce", nonce)
    with agent.connected(prism) as client:
        evidence = client.fetch_attestation(
            tee_nonce=sent,
            vtpm_nonce=sent[:_TPM_NONCE_BYTES],
            evidence_type=EvidenceType[evidence_type.replace("-", "_").upper()],
        )
    write_file(output, evidence, mode=PUBLIC, force=force)
    emit(str(output) if nonce is not None else f"{output}\n{sent.hex()}")
