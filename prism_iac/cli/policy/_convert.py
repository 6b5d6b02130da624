"""`prism-iac policy convert` and `sign`: the same policy in another form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prism_iac.cli._files import require_absent
from prism_iac.cli.policy._file import (
    Force,
    FormOption,
    Output,
    PolicyPath,
    Signer,
    read_policy,
    require_output,
    signed_policy,
    write_policy,
)

__all__ = ["convert", "sign"]

SigningKey = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The private key that signs: on P-256, P-384 or P-521, or Ed25519. Cocos itself uses P-256.",
    ),
]


def sign(
    file: PolicyPath,
    *,
    key: SigningKey,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the signed policy goes.")],
    signer: Signer = "prism-iac",
    force: Force = False,
) -> None:
    """Sign a policy with COSE_Sign1.

    JSON becomes a CoRIM first; an earlier signature is replaced. Whoever reads it verifies it with `prism-iac policy show --key`.
    """
    if not force:
        require_absent(output)
    write_policy(signed_policy(read_policy(file), key, signer), output, force=force)


def convert(
    file: PolicyPath, *, form: FormOption = "json", output: Output = None, force: Force = False
) -> None:
    """Write a policy in another form, unsigned; nothing is lost.

    JSON is written as cocos-cli writes it.
    """
    from prism_iac.attestation.policy import PolicyForm

    require_output(output, form)
    write_policy(read_policy(file).converted(PolicyForm(form)), output, force=force)
