"""Assets: the file that is meant, its digest, and what only an algorithm has."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

from prism_iac.errors import Finding
from prism_iac.model import (
    AlgorithmRuntime,
    AssetKind,
    Location,
    Refusal,
    require_fitting_source,
    sha3_256_of_path,
    shown,
)
from prism_iac.model.stack import AssetEntry
from prism_iac.spec._draft import Draft
from prism_iac.spec._upload import remote_source, runtime_of, upload_name

__all__ = ["check_assets"]

_LARGEST_SAMPLE_BYTES: Final = 10_000_000


def check_assets(draft: Draft) -> Iterator[Finding]:
    """Files that are missing or not the ones meant, and fields that the kind of asset has no use for."""
    for name, asset in draft.assets.items():
        location = ("assets", name)
        yield from _file(draft, location, asset)
        yield from _sample(draft, location, asset)
        if asset.kind is AssetKind.DATASET:
            yield from _only_for_algorithms(draft, location, asset)
        else:
            yield from _requirements(draft, location, asset)
        yield from _source(draft, location, asset)


def _file(draft: Draft, location: Location, asset: AssetEntry) -> Iterator[Finding]:
    if asset.file is None:
        if asset.checksum is None:
            yield draft.finding(
                location,
                "neither a file nor a checksum says what it is",
                "Add `file:`; where the file is elsewhere, add its SHA3-256 as `checksum:`.",
                at_name=True,
            )
        return
    path = yield from _input(draft, (*location, "file"), asset.file, or_folder=True)
    if path is None:
        return
    if asset.kind is AssetKind.ALGORITHM and path.is_dir():
        yield draft.finding(
            (*location, "file"),
            f"{shown(asset.file)} is a folder",
            "Name one file; an agent runs no folders.",
        )
        return
    if path.is_dir() and asset.source is not None and not asset.source.decompress:
        yield draft.finding(
            (*location, "source"),
            f"{shown(asset.file)} is a folder, and its archive is not unpacked",
            "Add `decompress: true`.",
        )
    yield from _checksum(draft, location, asset, path)
    if asset.source is None and asset.file_name not in (None, Path(asset.file).name):
        yield draft.finding(
            (*location, "file_name"),
            f"the file is named {shown(Path(asset.file).name)}, not {shown(asset.file_name)}",
            "Remove file_name, or rename the file; an agent refuses an upload by another name.",
        )


def _checksum(draft: Draft, location: Location, asset: AssetEntry, path: Path) -> Iterator[Finding]:
    if asset.checksum is None:
        return
    location = (*location, "checksum")
    try:
        actual = sha3_256_of_path(path).hex()
        if asset.checksum == actual:
            return
        is_sha256 = path.is_file() and asset.checksum == _sha256_of_file(path)
    except OSError as error:
        yield draft.finding(
            location, f"{shown(asset.file)} cannot be read: {error.strerror}", "Check its rights."
        )
        return
    if is_sha256:
        yield draft.finding(
            location, "this is the SHA-256 of the file, and Prism uses SHA3-256", f"Write {actual}."
        )
    else:
        yield draft.finding(
            location,
            f"this is not the SHA3-256 of {shown(asset.file)}",
            f"Write {actual}, or bring back the file that was meant.",
        )


def _sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sample(draft: Draft, location: Location, asset: AssetEntry) -> Iterator[Finding]:
    if asset.sample_file is None:
        return
    path = yield from _input(draft, (*location, "sample_file"), asset.sample_file)
    if path is not None and path.stat().st_size > _LARGEST_SAMPLE_BYTES:
        yield draft.finding(
            (*location, "sample_file"),
            f"{shown(asset.sample_file)} is larger than 10 MB",
            "Cut a smaller sample.",
        )


def _only_for_algorithms(draft: Draft, location: Location, asset: AssetEntry) -> Iterator[Finding]:
    for field in ("runtime", "arguments", "requirements"):
        if getattr(asset, field):
            yield draft.finding(
                (*location, field),
                f"a dataset has no {field}",
                "Remove it, or say `kind: algorithm`.",
                at_name=True,
            )


def _requirements(draft: Draft, location: Location, asset: AssetEntry) -> Iterator[Finding]:
    if asset.requirements is None:
        return
    location = (*location, "requirements")
    yield from _input(draft, location, asset.requirements)
    if runtime_of(asset) is not AlgorithmRuntime.PYTHON:
        yield draft.finding(
            location,
            f"the runtime {runtime_of(asset)} takes no requirements",
            "Remove them, or say `runtime: python`.",
            at_name=True,
        )


def _source(draft: Draft, location: Location, asset: AssetEntry) -> Iterator[Finding]:
    source = remote_source(asset)
    if source is None:
        return
    try:
        # What else belongs to one kind only is told of the entry's own fields.
        plain = source if asset.kind is AssetKind.ALGORITHM else source.model_copy(update=_NOT_RUN)
        require_fitting_source(asset.kind, plain, file_name=upload_name(asset))
    except Refusal as refusal:
        field = (refusal.field,) if refusal.field == "runtime" else ("source", refusal.field)
        yield draft.refused((*location, *filter(None, field)), refusal)
    if asset.requirements is not None:
        yield draft.finding(
            (*location, "requirements"),
            "an agent that fetches the algorithm gets no requirements from here",
            "Put both into an image; the agent takes requirements.txt out of it.",
            at_name=True,
        )


_NOT_RUN: Final = {"runtime": None, "arguments": ()}


def _input(
    draft: Draft, location: Location, as_written: str, *, or_folder: bool = False
) -> Generator[Finding, None, Path | None]:
    try:
        path = draft.path(location, as_written)
        draft.inputs.require(path, as_written=as_written, or_folder=or_folder)
    except Refusal as refusal:
        yield draft.refused(location, refusal)
        return None
    return path
