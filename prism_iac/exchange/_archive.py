"""The archive of a workspace: a zip with a manifest of the SHA3-256 of everything else in it.

A reader verifies the manifest first, and takes nothing from an archive that holds more, less or other than
it says. Nothing is unpacked to paths that an archive names.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel, ValidationError

from prism_iac._json import load_json
from prism_iac.errors import FailedClaim, Finding, InvalidInput, VerificationFailure
from prism_iac.model import DamagedZip, damage_told, findings_of, open_zip, sha3_256

__all__ = ["ArchiveReader", "ArchiveWriter"]

M = TypeVar("M", bound=BaseModel)

_FORMAT: Final = "prism-iac-backup"
_VERSION: Final = 1
_MANIFEST: Final = "manifest.json"
_LARGEST_PART_BYTES: Final = 1 << 30
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The same bytes for the same content, whenever it is written."""


class ArchiveWriter:
    """Writes the parts of an archive, one after another; its manifest at the end."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """Add a part."""
        self._digests[name] = sha3_256(content).hex()
        self._write(name, content)

    def add_json(self, name: str, document: Any) -> None:
        """Add a part that is JSON."""
        self.add(name, _json(document))

    def close(self) -> None:
        """Write the manifest; the archive is whole afterwards."""
        manifest = {"format": _FORMAT, "version": _VERSION, "sha3_256": dict(sorted(self._digests.items()))}
        self._write(_MANIFEST, _json(manifest))
        self._zip.close()

    def _write(self, name: str, content: bytes) -> None:
        part = zipfile.ZipInfo(name, _FIRST_DAY)
        part.compress_type = zipfile.ZIP_DEFLATED
        part.external_attr = 0o600 << 16
        self._zip.writestr(part, content)


class ArchiveReader:
    """Reads the parts of an archive that is what its manifest says.

    Args:
        path: The archive.

    Raises:
        InvalidInput: It is no archive of a workspace.
        VerificationFailure: It holds something else than its manifest says.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = open_zip(path)
        except DamagedZip as error:
            raise self._no_archive("it is no archive of a workspace") from error
        with ExitStack() as opening:
            opening.callback(self._zip.close)
            self._digests = self._manifest()
            self._verify()
            opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """A part.

        Raises:
            InvalidInput: There is none.
        """
        try:
            return self._content(name)
        except (KeyError, DamagedZip) as error:
            raise self._no_archive(f"it has no part {name}") from error

    def read_list(self, name: str) -> list[Any]:
        """A part that is a list, in JSON.

        Raises:
            InvalidInput: There is none, or it is something else.
        """
        try:
            elements = load_json(self.read(name))
        except ValueError as error:
            raise self._no_archive(f"its part {name} is no JSON") from error
        if not isinstance(elements, list):
            raise self._no_archive(f"its part {name} is no list")
        return elements

    def read_parts(self, name: str, model: type[M]) -> list[M]:
        """A part that is a list of documents.

        Raises:
            InvalidInput: There is none, or it holds others; with every finding.
        """
        found: list[M] = []
        findings: list[Finding] = []
        for index, element in enumerate(self.read_list(name)):
            try:
                found.append(model.model_validate(element))
            except ValidationError as error:
                findings += (
                    replace(item, file=str(self._path), line=1, column=1, path=f"{name}[{index}].{item.path}")
                    for item in findings_of(error, model).findings
                )
        if findings:
            raise InvalidInput(findings)
        return found

    def _manifest(self) -> dict[str, str]:
        try:
            manifest = load_json(self._content(_MANIFEST))
            form, version = manifest["format"], manifest["version"]
            digests = {str(name): str(digest) for name, digest in manifest["sha3_256"].items()}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._no_archive("it is no archive of a workspace") from error
        if form != _FORMAT:
            raise self._no_archive("it is no archive of a workspace")
        if version != _VERSION:
            raise self._no_archive(f"its version is not {_VERSION}")
        return digests

    def _verify(self) -> None:
        failed = list(self._differences())
        if failed:
            raise VerificationFailure(
                "the archive is not what its manifest says",
                failed=failed,
                where=str(self._path),
                next_step="Nothing was restored. Take another copy of the backup.",
            )

    def _differences(self) -> Iterator[FailedClaim]:
        names = Counter(name for name in self._zip.namelist() if name != _MANIFEST)
        for name in sorted(name for name, count in names.items() if count > 1 or name not in self._digests):
            yield FailedClaim(f"part {name}", "absent", "present")
        for name, wanted in self._digests.items():
            try:
                found = sha3_256(self._content(name)).hex()
            except (KeyError, DamagedZip):
                found = "nothing that can be read"
            if found != wanted:
                yield FailedClaim(f"SHA3-256 of {name}", wanted, found)

    def _content(self, name: str) -> bytes:
        part = self._zip.getinfo(name)
        if part.file_size > _LARGEST_PART_BYTES:
            raise DamagedZip("a part is larger than any backup's")
        with damage_told():
            return self._zip.read(part)

    def _no_archive(self, message: str) -> InvalidInput:
        return InvalidInput(
            [
                Finding(
                    file=str(self._path),
                    line=1,
                    column=1,
                    message=message,
                    fix="Name a file that `prism-iac backup` wrote.",
                )
            ]
        )


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
