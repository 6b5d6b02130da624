"""`prism-iac checksum`: the hash by which Prism and agents know a file, a folder or a manifest."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from prism_iac.cli._output import emit
from prism_iac.errors import InvalidInput

__all__ = ["checksum"]


def checksum(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="A file, or a folder, hashed as its archive.")
    ],
    *,
    as_base64: Annotated[bool, typer.Option("--base64", "-b", help="Print base64, not hexadecimal.")] = False,
    manifest: Annotated[
        bool, typer.Option("--manifest", "-m", help="Hash a manifest in its canonical form.")
    ] = False,
) -> None:
    """Print the SHA3-256 of a file, folder or manifest.

    It is what an asset's checksum is, and what agents compare uploads with.
    """
    from prism_iac.model import sha3_256_of_path

    digest = _manifest_digest(path) if manifest else sha3_256_of_path(path)
    emit(base64.b64encode(digest).decode("ascii") if as_base64 else digest.hex())


def _manifest_digest(path: Path) -> bytes:
    from prism_iac.model import Manifest

    try:
        return Manifest.parse(path.read_bytes()).digest()
    except InvalidInput as error:
        raise InvalidInput(
            replace(finding, file=str(path), line=1, column=1) for finding in error.findings
        ) from error
