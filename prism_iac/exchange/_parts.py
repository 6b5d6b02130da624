"""What a restore takes from an archive, read and checked before anything is brought anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from prism_iac.errors import InvalidInput
from prism_iac.exchange._archive import ArchiveReader
from prism_iac.exchange._bundle import AssetPart, asset_of
from prism_iac.exchange._definition import AssetDefinition

__all__ = ["KeyPart", "MemberPart", "Parts", "WorkspaceRolePart", "parts_of"]


def _public_key(text: str) -> str:
    from prism_iac.pki import parse_public_key

    try:
        parse_public_key(text)
    except InvalidInput as error:
        raise ValueError(error.findings[0].message) from error
    return text


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class MemberPart(_Part):
    """A member of the workspace."""

    id: str
    email: str


class WorkspaceRolePart(_Part):
    """A role of the workspace; its members by their ids there."""

    role_name: str
    actions: tuple[str, ...]
    members: tuple[str, ...]


class KeyPart(_Part):
    """Whose public key belongs to which computation; base64 of PKIX DER."""

    computation: str
    user: str
    public_key: Annotated[str, AfterValidator(_public_key)]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an archive that are brought back; computations are read row by row, as an import reads them."""

    members: list[MemberPart]
    roles: list[WorkspaceRolePart]
    computations: list[Any]
    assets: list[AssetDefinition]
    keys: list[KeyPart]


def parts_of(archive: ArchiveReader) -> Parts:
    """The parts of an archive.

    Raises:
        InvalidInput: One is missing, or is not what a backup writes.
    """
    return Parts(
        archive.read_parts("members.json", MemberPart),
        archive.read_parts("roles.json", WorkspaceRolePart),
        archive.read_list("computations.json"),
        [asset_of(part, is_linked=False) for part in archive.read_parts("assets.json", AssetPart)],
        archive.read_parts("keys.json", KeyPart),
    )
