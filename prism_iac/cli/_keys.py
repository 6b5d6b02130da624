"""`prism-iac keys`: a participant's key pair, and its registration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from prism_iac.cli._completion import ComputationName
from prism_iac.cli._files import PRIVATE, PUBLIC, read_public_key, require_absent, write_file
from prism_iac.cli._given import given
from prism_iac.cli._help import example
from prism_iac.cli._output import emit, printable, say
from prism_iac.cli._prism import Prism

__all__ = ["KeyType", "app"]

app: Final = typer.Typer(
    invoke_without_command=True,
    epilog=example(
        "prism-iac keys --type ed25519 --output ada", "prism-iac keys register iris --key ada.pub.pem"
    ),
)

KeyType = Literal["rsa", "ecdsa", "ed25519"]


@app.callback()
def keys(
    context: typer.Context,
    *,
    key_type: Annotated[KeyType, typer.Option("--type", help="The kind of key.")] = "rsa",
    output: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX", help="Write PREFIX.pem and PREFIX.pub.pem, not private.pem and public.pem."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Make a key pair, or register a public key.

    Writes private.pem, which only you may read, and public.pem, and never overwrites unasked. One pair serves all your roles in a computation; the private key stays on your machine.
    """
    if context.invoked_subcommand is not None:
        return
    from prism_iac.model.resources import KeyAlgorithm
    from prism_iac.pki import generate_key_pair

    private, public = (
        (Path("private.pem"), Path("public.pem"))
        if output is None
        else (Path(f"{output}.pem"), Path(f"{output}.pub.pem"))
    )
    if not force:
        require_absent(private, public)
    pair = generate_key_pair(KeyAlgorithm(key_type))
    write_file(private, pair.private_pem, mode=PRIVATE, force=force)
    write_file(public, pair.public_pem, mode=PUBLIC, force=force)
    emit(f"{private}\n{public}")
    say(f"Register the public key with `prism-iac keys register COMPUTATION --key {public}`.")


@app.command(epilog=example("prism-iac keys register iris-regression --key public.pem --as ada@example.com"))
@given(Prism)
def register(
    prism: Prism,
    computation: ComputationName,
    *,
    key: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="The public key; the private one stays."
        ),
    ] = Path("public.pem"),
) -> None:
    """Register your public key at a computation.

    A new one replaces the old from the next run on.
    """
    pem = read_public_key(key)
    record = prism.computation(computation)
    prism.workspace.computations.upload_key(record.id, pem)
    say(f"registered at {printable(record.name)}")
