"""Where an agent fetches an asset itself, instead of waiting for its upload.

Source: cocos-grpc.md sections 4.5 and 4.6. The kind follows from the URL: agents read no other word of it. A
manifest tells the URL to every participant, so one that holds a password or a signature is refused.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, model_validator

from prism_iac.model._canonical import RuntimeText, Text
from prism_iac.model._change import FROZEN
from prism_iac.model._document import Document
from prism_iac.model._form import Form
from prism_iac.model._names import AssetKind
from prism_iac.model._refusal import Refusal
from prism_iac.model._unknown import contains_unknown

__all__ = [
    "RemoteSource",
    "SourceKind",
    "SourceLocation",
    "is_pinned_image",
    "kind_of_source",
    "name_of_source",
    "require_fitting_source",
]

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


def name_of_source(url: str) -> str | None:
    """The file name that a URL ends with; None for an image, whose files have names of their own."""
    if kind_of_source(url) in (None, SourceKind.OCI_IMAGE):
        return None
    path = _parts(url)[1]
    return PurePosixPath(unquote(path) if kind_of_source(url) in _WEB else path).name or None


def _canonical_source(value: str) -> str:
    if not value.isprintable():
        raise Refusal("holds characters that cannot be shown", "Write it in characters that can be read.")
    kind = kind_of_source(value)
    if kind is None:
        raise Refusal("has a scheme that no agent fetches from", f"Begin it with {_SCHEMES}.")
    if kind is SourceKind.OCI_IMAGE:
        if not is_pinned_image(value):
            raise Refusal(
                "names an image without its digest, and what a tag means can change",
                "End it with @sha256: and the digest of the image's manifest.",
            )
        return value
    host, path = _parts(value)
    if not host or not path.strip("/"):
        raise Refusal("names no object", "Write it like https://host/path or s3://bucket/key.")
    if "@" in host or (kind in _WEB and _SIGNATURES & parse_qs(urlsplit(value).query).keys()):
        raise Refusal(
            "holds a password or a signature, and the manifest tells it to every participant",
            "Write the plain URL; give keys of a bucket to the agent, or encrypt the object.",
        )
    return value


_WEB: Final = (SourceKind.HTTPS, SourceKind.HTTP)
_SIGNATURES: Final = frozenset({"X-Amz-Signature", "X-Goog-Signature", "sig"})
"""Parameters of the presigned URLs of Amazon, Google and Azure."""


def _parts(url: str) -> tuple[str, str]:
    """Host and path; the key of an object in a bucket may hold `?` and `#`."""
    if kind_of_source(url) not in _WEB:
        bucket, _, key = url.partition("://")[2].partition("/")
        return bucket, key
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "", ""
    return parts.netloc if host else "", parts.path


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


_BrokerUrl = Annotated[Text, AfterValidator(_canonical_kbs_url), Form("https URL")]
_BrokerResource = Annotated[Text, AfterValidator(_canonical_resource), Form("KBS resource")]


class SourceLocation(Document):
    """Where the agent fetches an asset, and who has the key to it."""

    url: Annotated[Text, AfterValidator(_canonical_source), Form("source URL"), FROZEN]
    """An `https://`, `http://`, `s3://` or `gs://` object, or an OCI image by digest."""

    encrypted: Annotated[bool, FROZEN] = False
    """Whether the object is AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes)."""

    kbs_url: Annotated[_BrokerUrl | None, FROZEN] = None
    """The key broker (KBS) that has the key, without `/kbs/v0`."""

    kbs_resource_path: Annotated[_BrokerResource | None, FROZEN] = None
    """The key at the broker: repository, type and tag, such as `default/key/iris`."""

    decompress: Annotated[bool, FROZEN] = False
    """Whether the agent unpacks a dataset that is a zip archive; the digest is that of the archive."""

    @model_validator(mode="after")
    def _names_its_key(self) -> Self:
        if contains_unknown([self.url, self.encrypted, self.kbs_url, self.kbs_resource_path]):
            return self
        # The layers of an image name their own keys.
        if self.encrypted and kind_of_source(self.url) is not SourceKind.OCI_IMAGE:
            for field in ("kbs_url", "kbs_resource_path"):
                if getattr(self, field) is None:
                    raise Refusal("an encrypted object has a key somewhere", f"Add `{field}:`.", field=field)
        elif not self.encrypted:
            for field in ("kbs_url", "kbs_resource_path"):
                if getattr(self, field) is not None:
                    raise Refusal(
                        "what is not encrypted needs no key",
                        f"Add `encrypted: true`, or remove {field}.",
                        field=field,
                    )
        return self


class RemoteSource(SourceLocation):
    """Where the agent fetches an asset, and how it runs an algorithm that nobody uploads."""

    runtime: Annotated[RuntimeText | None, FROZEN] = None
    """What runs an algorithm: `python`, `bin` or `wasm`."""

    arguments: Annotated[tuple[str, ...], FROZEN] = ()
    """The arguments that an algorithm is started with."""

    def to_json(self) -> dict[str, Any]:
        """What it says, as JSON values; what is left to its default is left out."""
        values: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return values


def require_fitting_source(kind: AssetKind, source: RemoteSource, *, file_name: str | None) -> None:
    """Check that a source says what an agent needs for a kind of asset.

    Args:
        kind: What it is.
        source: Where it is; unknown values are passed over.
        file_name: The name of a dataset's file.

    Raises:
        Refusal: It says too little, or what an agent has no use for.
    """
    if kind is AssetKind.ALGORITHM:
        if source.runtime is None:
            raise Refusal(
                "nobody tells the agent what runs the algorithm", "Add `runtime:`.", field="runtime"
            )
        if source.decompress is True:
            raise Refusal("an agent unpacks datasets only", "Remove it.", field="decompress")
        return
    for field in ("runtime", "arguments"):
        if (value := getattr(source, field)) and not contains_unknown(value):
            raise Refusal(f"a dataset has no {field}", "Remove it.", field=field)
    if not file_name:
        raise Refusal("the agent keeps a dataset under its file name, and there is none", "Add `file_name:`.")
