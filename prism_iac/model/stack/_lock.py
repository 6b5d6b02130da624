"""The lock of an environment: what its stack file was resolved to, and may be resolved to from then on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from prism_iac.model._canonical import Checksum, LaunchDigest
from prism_iac.model._document import Document
from prism_iac.model.stack._name import EntryName

__all__ = ["AssetPin", "ComputationPin", "LockFile", "PolicyPin"]


class AssetPin(Document):
    """What an asset is."""

    sha3_256: Checksum
    """SHA3-256 of the file's bytes, or of a folder's archive."""


class PolicyPin(Document):
    """What an attestation policy demands, as far as it is declared."""

    sha3_256: Checksum
    """SHA3-256 of the declared policy document."""

    measurement: LaunchDigest | None = None
    """The launch measurement that it expects, where one is declared or computed."""


class ComputationPin(Document):
    """What a computation is."""

    manifest_sha3_256: Checksum
    """SHA3-256 of the canonical manifest without what belongs to one deployment: its id and its mark."""


class LockFile(Document):
    """What an environment's stack file was resolved to. `prism-iac lock` writes it."""

    version: Literal[1] = 1
    """The version of this form."""

    environment: EntryName
    """The environment that it is about."""

    assets: dict[EntryName, AssetPin] = Field(default_factory=dict)
    """The assets by name."""

    attestation_policies: dict[EntryName, PolicyPin] = Field(default_factory=dict)
    """The attestation policies by name."""

    computations: dict[EntryName, ComputationPin] = Field(default_factory=dict)
    """The computations by name."""
