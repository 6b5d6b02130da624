"""The resource class of an asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
from pulumi import Input, Output

from prism_iac.provider._declare import PrismResource
from prism_iac.provider.dynamic import AssetProvider

__all__ = ["Asset", "RemoteSourceArgs"]


class RemoteSourceArgs(TypedDict, total=False):
    """Where the agent fetches an asset, and how it runs an algorithm that nobody uploads."""

    url: Input[str]
    """An `https://`, `http://`, `s3://` or `gs://` object, or an OCI image by digest; always needed."""
    encrypted: Input[bool]
    """Whether the object is AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes)."""
    kbs_url: Input[str]
    """The key broker (KBS) that has the key, without `/kbs/v0`."""
    kbs_resource_path: Input[str]
    """The key at the broker: repository, type and tag, such as `default/key/iris`."""
    decompress: Input[bool]
    """Whether the agent unpacks a dataset that is a zip archive; the digest is that of the archive."""
    runtime: Input[str]
    """What runs an algorithm: `python`, `bin` or `wasm`; always needed for one."""
    arguments: Input[Sequence[Input[str]]]
    """The arguments that an algorithm is started with."""


class Asset(PrismResource, module="prism", name="Asset"):
    """An algorithm or a dataset that a participant brings, known to Prism by its digest alone.

    Its bytes never go to Prism: the participant uploads them to the agent at run time, or the agent fetches
    them from `source`; it compares their SHA3-256 with the checksum given here.
    """

    workspace: Output[str]
    """The workspace that the asset is in."""
    asset_type: Output[str]
    """`algorithm` or `dataset`."""
    provider: Output[str | None]
    """The user who brings it."""
    checksum: Output[str]
    """SHA3-256 of the file's bytes, 64 hexadecimal characters."""
    file_name: Output[str]
    """The name that the upload must have."""
    source: Output[dict[str, Any] | None]
    """Where the agent fetches it."""
    description: Output[str]
    """What it is."""
    computations: Output[list[str]]
    """The ids of the computations it was linked to at the last read."""

    def __init__(
        self,
        resource_name: str,
        *,
        asset_type: Input[str],
        description: Input[str],
        provider: Input[str] | None = None,
        file: Input[str] | None = None,
        checksum: Input[str] | None = None,
        file_name: Input[str] | None = None,
        source: Input[RemoteSourceArgs] | Input[Mapping[str, Input[object]]] | None = None,
        mime_type: Input[str] | None = None,
        sample_file: Input[str] | None = None,
        workspace: Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare an asset.

        Args:
            resource_name: The logical name.
            asset_type: `algorithm` or `dataset`.
            description: What it is.
            provider: The user who brings it; the platform's own user when left out.
            file: The file or folder that `checksum` and `file_name` are taken from.
            checksum: SHA3-256 as 64 hexadecimal characters; needed without `file`.
            file_name: The name that the upload must have; the last part of `file`, or of the source's URL, when
                left out.
            source: Where the agent fetches it; it waits for an upload when left out.
            mime_type: The media type, such as `text/csv`.
            sample_file: A sample to show to others, at most 10 MB.
            workspace: The workspace; the provider's when left out.
            opts: Resource options.
        """
        super().__init__(
            AssetProvider(),
            resource_name,
            {
                "workspace": workspace,
                "asset_type": asset_type,
                "provider": provider,
                "file": file,
                "checksum": checksum,
                "file_name": file_name,
                "source": source,
                "description": description,
                "mime_type": mime_type,
                "sample_file": sample_file,
            },
            outputs=("computations",),
            opts=opts,
        )
