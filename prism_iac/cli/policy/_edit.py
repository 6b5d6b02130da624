"""`prism-iac policy measurement` and `hostdata`: one expectation set in a file."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prism_iac.cli._files import write_file
from prism_iac.cli.policy._expectations import HOST_DATA_BYTES, MEASUREMENT_BYTES, octets
from prism_iac.cli.policy._file import PolicyPath, read_policy

if TYPE_CHECKING:
    from prism_iac.attestation.policy import PolicyFile

__all__ = ["hostdata", "measurement"]


def measurement(
    value: Annotated[
        str,
        typer.Argument(metavar="MEASUREMENT", help="48 bytes, base64 or hexadecimal.", show_default=False),
    ],
    file: PolicyPath,
) -> None:
    """Set the launch measurement that a policy expects; for TDX, MRTD.

    All else in the file stays as it is, fields that are not known here too.
    """
    wanted = octets(value, MEASUREMENT_BYTES, "MEASUREMENT")
    found = read_policy(file)
    _replace(file, found.with_document(found.document.with_measurement(wanted)))


def hostdata(
    value: Annotated[
        str, typer.Argument(metavar="HOSTDATA", help="32 bytes, base64 or hexadecimal.", show_default=False)
    ],
    file: PolicyPath,
) -> None:
    """Set the host data that a policy expects, such as the hash of a manifest.

    All else in the file stays as it is, fields that are not known here too.
    """
    wanted = octets(value, HOST_DATA_BYTES, "HOSTDATA")
    found = read_policy(file)
    _replace(file, found.with_document(found.document.with_host_data(wanted)))


def _replace(file: Path, edited: PolicyFile) -> None:
    write_file(file, edited.to_bytes(), mode=stat.S_IMODE(file.stat().st_mode), force=True)
