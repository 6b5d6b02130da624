"""Policies as files: the options that name them, how they are read, written and signed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prism_iac.cli._files import PUBLIC, write_file
from prism_iac.cli._output import emit

if TYPE_CHECKING:
    from prism_iac.attestation.policy import PolicyFile

__all__ = [
    "Force",
    "Form",
    "FormOption",
    "Output",
    "PolicyPath",
    "Signer",
    "read_policy",
    "require_output",
    "require_signature",
    "signed_policy",
    "write_policy",
]

Form = Literal["json", "corim", "corim-amd"]

PolicyPath = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The policy, in any form.")
]
FormOption = Annotated[
    Form,
    typer.Option(
        "--form",
        help="json for Cocos to 0.8 and for Prism, corim for Cocos from 0.9 on, corim-amd for others.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write it here; JSON is printed when left out.", show_default=False),
]
Signer = Annotated[str, typer.Option(metavar="NAME", help="Who signs, for people.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


def read_policy(file: Path) -> PolicyFile:
    from prism_iac.attestation.policy import PolicyFile

    return PolicyFile.parse(file.read_bytes())


def require_output(output: Path | None, form: Form) -> None:
    if output is None and form != "json":
        raise typer.BadParameter("a CoRIM is no text: name a file", param_hint="--output")


def write_policy(made: PolicyFile, output: Path | None, *, force: bool) -> None:
    if output is None:
        emit(made.to_bytes().decode().rstrip("\n"))
        return
    write_file(output, made.to_bytes(), mode=PUBLIC, force=force)
    emit(str(output))


def signed_policy(policy: PolicyFile, key: Path, signer: str) -> PolicyFile:
    from prism_iac.pki import load_private_key

    return policy.sign(load_private_key(key.read_bytes()), signer=signer)


def require_signature(policy: PolicyFile, key: Path, file: Path) -> None:
    """That a policy is signed by a key.

    Args:
        policy: What was read.
        key: A file with the public key.
        file: Where the policy lies, for people.

    Raises:
        VerificationFailure: It is not, or not signed at all.
        InvalidInput: The key cannot be read.
    """
    from prism_iac.cli._files import read_public_key
    from prism_iac.errors import FailedClaim, VerificationFailure
    from prism_iac.pki import load_public_key, parse_public_key

    if policy.signed is None:
        raise VerificationFailure(
            "the policy is not signed",
            failed=[FailedClaim("signature", "one of the given key", "missing")],
            where=str(file),
            next_step="Ask whoever gave it to you for the signed one.",
        )
    public = load_public_key(parse_public_key(read_public_key(key)))
    policy.signed.verify(public, now=datetime.now(UTC))
