"""`prism-iac backup` and `restore`: a whole workspace in one archive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from prism_iac.cli._given import given
from prism_iac.cli._output import emit_facts, printable, say
from prism_iac.cli._prism import Prism

__all__ = ["backup", "restore"]


@given(Prism)
def backup(
    prism: Prism,
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The archive to write.")],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="With the private keys of agents: keep the archive safe.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an archive that is there.")] = False,
) -> None:
    """Write a whole workspace into one archive, with a manifest of SHA3-256.

    Members, roles, computations, assets with their samples, public keys, the policies of VMs, and certificates
    without private keys. What is left out is told.
    """
    from prism_iac.cli._files import PRIVATE, require_absent, write_file
    from prism_iac.exchange import ArchiveWriter, back_up

    if not force:
        require_absent(file)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "archive")
        archive = ArchiveWriter(part)
        left_out = back_up(prism.client, prism.domain.id, archive, with_keys=with_keys)
        archive.close()
        write_file(file, part.read_bytes(), mode=PRIVATE, force=force)
    for line in left_out:
        say(printable(f"left out: {line}"))
    say(f"the workspace {printable(prism.domain.name)} is in {file}")


@given(Prism)
def restore(
    prism: Prism,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What a backup wrote.")
    ],
    *,
    without_certificates: Annotated[
        bool,
        typer.Option("--without-certificates", help="Leave out certificates whose private key is not there."),
    ] = False,
) -> None:
    """Bring a backup back into an empty workspace; one that is named and not there is made.

    The archive is verified first; the exit code is 4 when it is not what its manifest says. What could not be
    brought back is told, and the exit code is 1 then.
    """
    from prism_iac.cli.exchange._access import CommandLineAccess
    from prism_iac.exchange import ArchiveReader
    from prism_iac.exchange import restore as bring_back

    with ArchiveReader(file) as archive:
        domains = prism.client.domains
        if prism.workspace_name and domains.find(prism.workspace_name) is None:
            domains.create(name=prism.workspace_name)
        restored = bring_back(
            archive,
            CommandLineAccess(prism),
            domains.roles,
            without_certificates=without_certificates,
        )
    emit_facts(
        (
            ("computations", str(restored.computations)),
            ("assets", str(restored.assets)),
            ("members", str(restored.members)),
            ("public keys", str(restored.keys)),
        )
    )
    for line in restored.left_out:
        say(printable(f"left out: {line}"))
    if restored.left_out:
        raise typer.Exit(1)
