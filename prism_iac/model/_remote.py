"""Where an agent fetches an asset itself, instead of waiting for its upload.

Source: cocos-grpc.md sections 4.5 and 4.6. The kind follows from the URL: agents read no other word of it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from prism_iac.model._canonical import RuntimeText, Text
from prism_iac.model._document import Document
from prism_iac.model._form import Form
from prism_iac.model._refusal import Refusal

__all__ = ["RemoteSource", "SourceKind", "SourceLocation", "is_pinned_image", "kind_of_source"]

_PINNED: Final = re.compile(r".+@sha256:[0-9a-f]{64}")
_SCHEMES: Final = "https://, http://, s3://, gs://, docker:// or oci://"


class SourceKind(StrEnum):
    """How the bytes are asked for."""

    OCI_IMAGE = "oci-image"
    S3 = "s3"
    GCS = "gcs"
    HTTPS = "https"
    HTTP = "http"


_BY_SCHEME: Final = {
    "docker": SourceKind.OCI_IMAGE,
    "oci": SourceKind.OCI_IMAGE,
    "s3": SourceKind.S3,
    "gs": SourceKind.GCS,
    "https": SourceKind.HTTPS,
    "http": SourceKind.HTTP,
}


def kind_of_source(url: str) -> SourceKind | None:
    """The kind that a URL names; None for one that no agent knows.

    Without a scheme, a name with a slash or a tag is that of an image.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme.lower() in _BY_SCHEME:
        return _BY_SCHEME[scheme.lower()]
    if "://" in url or not (rest or "/" in url):
        return None
    return SourceKind.OCI_IMAGE


def is_pinned_image(url: str) -> bool:
    """Whether the name of an image ends with its digest."""
    return _PINNED.fullmatch(url) is not None


def _canonical_source(value: str) -> str:
    kind = kind_of_source(value)
    if kind is None:
        raise Refusal("has a scheme that no agent fetches from", f"Begin it with {_SCHEMES}.")
    if kind is SourceKind.OCI_IMAGE:
        if not is_pinned_image(value):
            raise Refusal(
                "names an image without its digest, and what a tag means can change",
                "End it with @sha256: and the digest of the image's manifest.",
            )
    elif not _has_host_and_path(value):
        raise Refusal("names no object", "Write it like https://host/path or s3://bucket/key.")
    return value


def _has_host_and_path(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname and parts.path.strip("/"))
    except ValueError:
        return False


def _canonical_kbs_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme == "https" and bool(parts.hostname) and not parts.query
    except ValueError:
        is_usable = False
    if not is_usable:
        raise Refusal("is no https URL of a key broker", "Write it like https://kbs.example.org.")
    return value.rstrip("/")


_RESOURCE: Final = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")


def _canonical_resource(value: str) -> str:
    text = value.removeprefix("kbs:///")
    if not _RESOURCE.fullmatch(text) or {".", ".."} & set(text.split("/")):
        raise Refusal("is no resource of a key broker", "Write it like default/key/iris.")
    return text


class SourceLocation(Document):
    """Where the agent fetches an asset, and who has the key to it."""

    url: Annotated[Text, AfterValidator(_canonical_source), Form("source URL")]
    """An `https://`, `http://`, `s3://` or `gs://` object, or an OCI image by digest."""

    encrypted: bool = False
    """Whether the object is AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes)."""

    kbs_url: Annotated[Text, AfterValidator(_canonical_kbs_url), Form("https URL")] | None = None
    """The key broker (KBS) that has the key, without `/kbs/v0`."""

    kbs_resource_path: Annotated[Text, AfterValidator(_canonical_resource), Form("KBS resource")] | None = (
        None
    )
    """The key at the broker: repository, type and tag, such as `default/key/iris`."""

    decompress: bool = False
    """Whether the agent unpacks a dataset that is a zip archive."""


class RemoteSource(SourceLocation):
    """Where the agent fetches an asset, and how it runs an algorithm that nobody uploads."""

    runtime: RuntimeText | None = None
    """What runs an algorithm: `python`, `bin` or `wasm`."""

    arguments: tuple[str, ...] = ()
    """The arguments that an algorithm is started with."""
