"""The options that say what kind of certificate to make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from prism_iac.cli._files import write_file
from prism_iac.cli._keys import KeyType
from prism_iac.cli.certs._input import validity_of

if TYPE_CHECKING:
    from prism_iac.model.resources import KeySpec, Subject

__all__ = ["Wanted", "write_files"]


@dataclass(frozen=True)
class Wanted:
    """Keys, subjects and dates of what is made."""

    key_type: Annotated[KeyType, typer.Option("--key-type", help="The kind of key.")] = "rsa"
    key_size: Annotated[
        int | None,
        typer.Option(
            "--key-size",
            metavar="BITS",
            help="2048, 3072 or 4096 (RSA, 4096 when left out), 256 or 384 (ECDSA, 256).",
        ),
    ] = None
    validity_text: Annotated[
        str, typer.Option("--validity", metavar="DURATION", help="How long from now, such as 90d or 12h.")
    ] = "365d"
    organization: Annotated[str | None, typer.Option(metavar="TEXT", help="O of the subject.")] = None
    unit: Annotated[str | None, typer.Option(metavar="TEXT", help="OU of the subject.")] = None
    email: Annotated[str | None, typer.Option(metavar="TEXT", help="emailAddress of the subject.")] = None
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def key(self) -> KeySpec:
        """What kind of key to make.

        Raises:
            InvalidInput: There are none of that size.
        """
        from prism_iac.model.resources import KeyAlgorithm
        from prism_iac.pki import key_spec

        return key_spec(KeyAlgorithm(self.key_type), self.key_size)

    @property
    def subject(self) -> Subject:
        """The parts of subjects besides the common name."""
        from prism_iac.model.resources import Subject

        return Subject(organization=self.organization, organizational_unit=self.unit, email=self.email)

    @property
    def validity(self) -> timedelta:
        """How long from now."""
        return validity_of(self.validity_text)


def write_files(files: dict[Path, tuple[bytes, int]], *, force: bool) -> None:
    """Write files with their modes, and print their names; none when one of them is there already.

    Raises:
        Conflict: One is there, and must not be replaced.
    """
    from prism_iac.cli._files import require_absent
    from prism_iac.cli._output import emit

    if not force:
        require_absent(*files)
    for path, (content, mode) in files.items():
        write_file(path, content, mode=mode, force=force)
    emit("\n".join(str(path) for path in files))
