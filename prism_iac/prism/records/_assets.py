"""Assets (prism-rest.md section 3.4, D30)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from pydantic import ValidationError

from prism_iac.model import AssetKind, RemoteSource
from prism_iac.prism._fields import Fields

__all__ = [
    "AssetRecord",
]


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """An asset (section 3.4).

    Attributes:
        checksum: SHA3-256 of the real file, 64 lower-case hexadecimal characters; empty in some lists.
        sample: What others may look at; empty in lists.
        computations: The ids of the computations that it is linked to.
        source: Where agents fetch it; None where they wait for an upload.
    """

    id: str
    file_name: str
    description: str
    asset_type: AssetKind | None
    mime_type: str
    checksum: str
    user_id: str
    user_key: str
    sample: bytes = field(repr=False)
    computations: tuple[str, ...]
    created_at: datetime | None
    source: RemoteSource | None = None

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read an asset, wrapped or not, in the casing of the API or of export files (D30)."""
        wrapped = Fields(document, "an asset").raw("asset")
        fields = Fields(wrapped if isinstance(wrapped, Mapping) else document, "an asset")
        return cls(
            id=fields.identity("id"),
            file_name=fields.text("file_name"),
            description=fields.text("description"),
            asset_type=fields.choice(AssetKind, "asset_type"),
            mime_type=fields.text("mime_type"),
            checksum=fields.text("checksum", "Checksum", "hash").lower(),
            user_id=fields.text("user_id", "UserID"),
            user_key=fields.text("user_key", "UserKey"),
            sample=fields.binary("asset"),
            computations=fields.items(_computation_id, "computations", "Computations"),
            created_at=fields.time("created_at"),
            source=fields.nested(_source, "source"),
        )


def _source(document: object) -> RemoteSource | None:
    """A source as the embedded Prism writes it; another Prism may mean something else by the word."""
    try:
        return RemoteSource.model_validate(document)
    except ValidationError:
        return None


def _computation_id(document: object) -> str:
    return document if isinstance(document, str) else Fields(document, "a computation").identity("id")
