"""What a participant's upload of an asset looks like to the agent."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from prism_iac.model import AlgorithmRuntime
from prism_iac.model.stack import AssetEntry

__all__ = ["runtime_of", "upload_name"]

_BY_SUFFIX: Final = {".py": AlgorithmRuntime.PYTHON, ".wasm": AlgorithmRuntime.WASM}


def upload_name(asset: AssetEntry) -> str | None:
    """The name that the upload must have: as stated, else the file's; None where neither is known."""
    return asset.file_name or (PurePath(asset.file).name if asset.file else None)


def runtime_of(algorithm: AssetEntry) -> AlgorithmRuntime:
    """The runtime as stated, else by the suffix of the file's name; a file without either is a program."""
    suffix = PurePath(upload_name(algorithm) or "").suffix.lower()
    return algorithm.runtime or _BY_SUFFIX.get(suffix, AlgorithmRuntime.BIN)
