"""`prism-iac algo` and `data`: what participants bring to the agent of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_iac.cli._agent import Agent
from prism_iac.cli._files import read_private_key_pem
from prism_iac.cli._given import given
from prism_iac.cli._output import say
from prism_iac.cli._prism import Prism
from prism_iac.cli._progress import progress_bar

if TYPE_CHECKING:
    from prism_iac.agent import AgentClient

__all__ = ["AlgorithmType", "PrivateKey", "algo", "data"]

AlgorithmType = Literal["bin", "python", "wasm"]

PrivateKey = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Your private key, whose public half is registered; it signs and stays here.",
    ),
]


@given(Prism)
@given(Agent)
def algo(
    agent: Agent,
    prism: Prism,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The algorithm.")],
    *,
    key: PrivateKey = Path("private.pem"),
    algorithm_type: Annotated[
        AlgorithmType, typer.Option("--type", "-a", help="How the agent runs it.")
    ] = "bin",
    arguments: Annotated[
        list[str] | None,
        typer.Option("--arg", metavar="TEXT", help="An argument for it; once for each.", show_default=False),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option(
            "--requirements", "-r", metavar="FILE", exists=True, dir_okay=False, help="Packages for Python."
        ),
    ] = None,
) -> None:
    """Upload the algorithm of a computation to its agent.

    A run must be going on; the algorithm comes first.
    """
    from prism_iac.agent import AlgorithmKind

    key_pem = read_private_key_pem(key)

    def upload(client: AgentClient) -> None:
        with progress_bar(file.name) as progress:
            client.upload_algorithm(
                file,
                key_pem,
                kind=AlgorithmKind(algorithm_type),
                arguments=arguments or (),
                requirements=requirements,
                progress=progress,
            )

    agent.perform(prism, upload)
    say(f"uploaded the algorithm {file}")


@given(Prism)
@given(Agent)
def data(
    agent: Agent,
    prism: Prism,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="The dataset; a folder goes as its archive.")
    ],
    *,
    key: PrivateKey = Path("private.pem"),
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The file name it is declared by; that of PATH when left out."),
    ] = None,
    decompress: Annotated[
        bool, typer.Option("--decompress", "-d", help="The agent unpacks the archive.")
    ] = False,
) -> None:
    """Upload a dataset of a computation to its agent.

    A run must be going on, and its algorithm be there.
    """
    key_pem = read_private_key_pem(key)

    def upload(client: AgentClient) -> None:
        with progress_bar(path.name) as progress:
            client.upload_dataset(path, key_pem, filename=name, decompress=decompress, progress=progress)

    agent.perform(prism, upload)
    say(f"uploaded the dataset {path}")
