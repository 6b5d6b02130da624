"""Where the data of the embedded backend and of local VMs lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["data_folder"]

_VARIABLE: Final = "PRISM_IAC_DATA"
_FOLDER: Final = ".prism"
_PROJECT_FILE: Final = "Pulumi.yaml"


def data_folder(start: Path, environ: Mapping[str, str]) -> Path:
    """The data folder for a program that runs in a folder, absolute; it need not exist.

    The variable `PRISM_IAC_DATA` wins; then the nearest folder upwards that holds `.prism` or
    `Pulumi.yaml`; then the folder itself.

    Args:
        start: The folder of the program.
        environ: The environment variables.
    """
    named = environ.get(_VARIABLE)
    if named:
        return (start / named).absolute()
    here = start.absolute()
    for folder in (here, *here.parents):
        if (folder / _FOLDER).is_dir() or (folder / _PROJECT_FILE).is_file():
            return folder / _FOLDER
    return here / _FOLDER
