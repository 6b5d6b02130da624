"""`prism-iac result`: fetches the result of a run, checks it, and unpacks it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prism_iac.cli._agent import Agent
from prism_iac.cli._files import read_private_key_pem, require_absent
from prism_iac.cli._given import given
from prism_iac.cli._output import emit, say
from prism_iac.cli._prism import Prism
from prism_iac.cli._progress import progress_bar
from prism_iac.cli._uploads import PrivateKey
from prism_iac.errors import FailedClaim, VerificationFailure

if TYPE_CHECKING:
    from prism_iac.agent import AgentClient
    from prism_iac.prism import RunRecord

__all__ = ["result"]

_DIGEST_SECONDS: Final = 10.0
"""How much later than the result its digest may reach Prism."""
_PAUSE_SECONDS: Final = 0.2


@given(Prism)
@given(Agent)
def result(
    agent: Agent,
    prism: Prism,
    *,
    key: PrivateKey = Path("private.pem"),
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the archive goes.")] = Path(
        "results.zip"
    ),
    extract: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Unpack it into this folder, new or empty, too."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an archive that is there.")] = False,
) -> None:
    """Fetch the result of a computation from its agent.

    With --computation it is compared with the SHA3-256 that the agent told Prism; the exit code is 4 when
    they differ, and nothing is kept.
    """
    from prism_iac.cli._extract import extract_archive, require_empty
    from prism_iac.model import sha3_256_of_path

    key_pem = read_private_key_pem(key)
    if not force:
        require_absent(output)
    if extract is not None:
        require_empty(extract)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as scratch:

        def fetch(client: AgentClient) -> Path:
            with progress_bar(output.name) as progress:
                return client.fetch_result(key_pem, Path(scratch) / output.name, progress=progress)

        fetched = agent.perform(prism, fetch)
        found = sha3_256_of_path(fetched)
        _verify(prism, agent, found)
        if extract is not None:
            extract_archive(fetched, extract)
        if not force:
            require_absent(output)
        fetched.replace(output)
    emit(str(output))
    if extract is not None:
        emit(str(extract))


def _verify(prism: Prism, agent: Agent, found: bytes) -> None:
    if agent.computation is None:
        say(f"not compared with what Prism knows, for want of --computation; SHA3-256 {found.hex()}")
        return
    run = prism.run_of(prism.computation(agent.computation))
    wanted = _await_digest(prism, run)
    if wanted is None:
        say(f"not compared: Prism was told no SHA3-256 of this result; it is {found.hex()}")
    elif wanted != found:
        raise VerificationFailure(
            f"the result of run {run.number} is not the one that its agent told Prism of",
            failed=[FailedClaim("SHA3-256", wanted.hex(), found.hex())],
            where=run.agent_address or "",
            next_step="Do not use it. Find out who answers at the agent's address.",
        )
    else:
        say(f"SHA3-256 {found.hex()}, as the agent told Prism")


def _await_digest(prism: Prism, run: RunRecord) -> bytes | None:
    """The digest that Prism knows; the agent tells it on another way than the one that the result takes."""
    from prism_iac.cli._lifecycle import fetch_result_digest
    from prism_iac.cli._runs import has_ended

    deadline = time.monotonic() + _DIGEST_SECONDS
    while True:
        is_final = has_ended(prism, run)
        digest = fetch_result_digest(prism, run)
        if digest is not None or is_final or time.monotonic() >= deadline:
            return digest
        time.sleep(_PAUSE_SECONDS)
