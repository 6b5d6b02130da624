"""An asset of a stack file: a dataset or an algorithm that a participant brings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from prism_iac.model._canonical import AssetKindText, Checksum, RuntimeText, Text
from prism_iac.model._change import FROZEN, IN_PLACE, REPLACE
from prism_iac.model._document import Document
from prism_iac.model._remote import SourceLocation
from prism_iac.model.stack._name import Reference

__all__ = ["AssetEntry"]


class AssetEntry(Document):
    """A dataset or an algorithm, known to Prism by its digest alone; the bytes go to the agent."""

    misnomers: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "asset_type": "Say `kind: dataset` or `kind: algorithm`.",
            "type": "Say `kind: dataset` or `kind: algorithm`.",
            "hash": "Say `checksum:`, the SHA3-256 of the file.",
            "path": "Say `file:`.",
            "url": "Say `source: {url: ...}`.",
        }
    )

    kind: Annotated[AssetKindText, REPLACE]
    """`dataset` or `algorithm`."""

    provider: Annotated[Reference, REPLACE]
    """The participant who brings it."""

    file: Annotated[Text | None, IN_PLACE] = None
    """The file, or a dataset's folder, relative to this stack file."""

    checksum: Annotated[Checksum | None, FROZEN] = None
    """SHA3-256 of the file's bytes, or of a folder's archive; computed from `file` when left out."""

    file_name: Annotated[Text | None, FROZEN] = None
    """The name that the upload must have; the last part of `file`, or of the source's URL, when left out."""

    source: Annotated[SourceLocation | None, FROZEN] = None
    """Where the agent fetches it; it waits for an upload when left out."""

    description: Annotated[Text | None, IN_PLACE] = None
    """What it is; made from its name and kind when left out."""

    mime_type: Annotated[Text | None, IN_PLACE] = None
    """The media type, such as `text/csv`."""

    sample_file: Annotated[Text | None, IN_PLACE] = None
    """A sample to show to others, at most 10 MB; it is stored at Prism."""

    runtime: RuntimeText | None = None
    """What runs an algorithm: `python`, `bin` or `wasm`; follows from the suffix of `file_name` when left out."""

    arguments: tuple[str, ...] = ()
    """The arguments that an algorithm is started with."""

    requirements: Text | None = None
    """The requirements file of a Python algorithm, relative to this stack file."""
