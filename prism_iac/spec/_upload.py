"""What an asset looks like to the agent that gets it, by an upload or from its source."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from prism_iac.model import AlgorithmRuntime, AssetKind, RemoteSource, name_of_source
from prism_iac.model.stack import AssetEntry

__all__ = ["remote_source", "runtime_of", "upload_name"]

_BY_SUFFIX: Final = {".py": AlgorithmRuntime.PYTHON, ".wasm": AlgorithmRuntime.WASM}


def upload_name(asset: AssetEntry) -> str | None:
    """The name that it must have: as stated, else the file's, else the URL's; None where none is known."""
    if asset.file_name or asset.file:
        return asset.file_name or PurePath(asset.file or "").name
    return name_of_source(asset.source.url) if asset.source else None


def runtime_of(algorithm: AssetEntry) -> AlgorithmRuntime:
    """The runtime as stated, else by the suffix of the file's name; a file without either is a program."""
    suffix = PurePath(upload_name(algorithm) or "").suffix.lower()
    return algorithm.runtime or _BY_SUFFIX.get(suffix, AlgorithmRuntime.BIN)


def remote_source(asset: AssetEntry) -> RemoteSource | None:
    """Where the agent fetches an asset, and how it runs an algorithm; None where it waits for an upload."""
    if asset.source is None:
        return None
    how = {"runtime": asset.runtime, "arguments": asset.arguments}
    if asset.kind is AssetKind.ALGORITHM and (asset.runtime or upload_name(asset)):
        how["runtime"] = runtime_of(asset)
    return RemoteSource.model_validate(asset.source.model_dump() | how)
