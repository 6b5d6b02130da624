"""An asset: an algorithm or a dataset, known to Prism by its digest alone."""

from __future__ import annotations

from typing import Annotated, ClassVar

from prism_iac.model._canonical import AssetKindText, Checksum, Text, User
from prism_iac.model._change import COMPUTED, FROZEN, IN_PLACE, REPLACE
from prism_iac.model._remote import RemoteSource
from prism_iac.model.resources._base import InWorkspace

__all__ = ["Asset"]


class Asset(InWorkspace):
    """An algorithm or a dataset that a participant brings (prism-rest.md section 3.4, D30 to D32).

    The bytes never go to Prism: the participant uploads them to the agent at run time, or the agent fetches
    them from `source`; it compares their SHA3-256 with the checksum given here.
    """

    kind: ClassVar[str] = "Asset"

    asset_type: Annotated[AssetKindText, REPLACE]
    """`algorithm` or `dataset`."""

    provider: Annotated[User | None, REPLACE] = None
    """The user who brings it; the provider's own user when left out."""

    file: Annotated[Text | None, IN_PLACE] = None
    """The file or folder on this machine that `checksum` and `file_name` are taken from."""

    checksum: Annotated[Checksum | None, FROZEN] = None
    """SHA3-256 of the file's bytes, or of a folder's archive; computed from `file` when left out."""

    file_name: Annotated[Text | None, FROZEN] = None
    """The name that the upload must have; the last part of `file`, or of the source's URL, when left out."""

    source: Annotated[RemoteSource | None, FROZEN] = None
    """Where the agent fetches it; it waits for an upload when left out."""

    description: Annotated[Text, IN_PLACE]
    """What it is."""

    mime_type: Annotated[Text | None, IN_PLACE] = None
    """The media type, such as `text/csv`."""

    sample_file: Annotated[Text | None, IN_PLACE] = None
    """A sample to show to others, at most 10 MB; stored at Prism."""

    computations: Annotated[tuple[str, ...], COMPUTED] = ()
    """The ids of the computations it was linked to at the last read."""
