"""Pulls images by digest from a registry (OCI Distribution Specification v1.1, §§ pull; token authentication).

What the digest covers is verified byte for byte: the manifest, an index on the way to it, and each layer. TLS is
verified too, which agents of Cocos do not do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from prism_iac._json import json_object
from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._http import Http, Sink

__all__ = ["Image", "Layer", "Registry", "parse_image"]

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_HUB: Final = "registry-1.docker.io"
_MOST_MANIFEST_BYTES: Final = 4 << 20
_MOST_TOKEN_BYTES: Final = 64 << 10
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        *_INDEXES,
    )
)
_PARAMETER: Final = re.compile(r'([a-z]+)="([^"]*)"')
_PLATFORM: Final = ("linux", "amd64")


@dataclass(frozen=True, slots=True)
class Image:
    """The name of an image, pinned."""

    registry: str
    repository: str
    digest: str


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as the manifest names it."""

    digest: str
    media_type: str


def parse_image(url: str) -> Image:
    """The image that a URL names.

    Raises:
        FetchFailed: It is malformed or not pinned by a digest.
    """
    name = url.removeprefix("docker:").removeprefix("oci:").removeprefix("//")
    name, _, digest = name.partition("@")
    if not _DIGEST.fullmatch(digest):
        raise FetchFailed("the image is not named by its sha256 digest, and what a tag means can change")
    host, slash, path = name.partition("/")
    if not slash or not (set(".:") & set(host) or host == "localhost"):
        host, path = _HUB, name if slash else f"library/{name}"
    elif host == "docker.io":
        host, path = _HUB, path if "/" in path else f"library/{path}"
    last = path.rpartition("/")[2]
    repository = path[: -len(last)] + last.partition(":")[0]
    if not _REPOSITORY.fullmatch(repository):
        raise FetchFailed("the name of the image is malformed")
    return Image(host, repository, digest)


class Registry:
    """The registry of one image, asked anonymously."""

    def __init__(self, http: Http, image: Image) -> None:
        self._http = http
        self._image = image
        self._base = f"https://{image.registry}/v2/{image.repository}"
        self._token = ""

    async def layers(self) -> tuple[Layer, ...]:
        """The layers of the image, the lowest first; of an index those for Linux on amd64.

        Raises:
            FetchFailed: The image is not there, or is not what its digest says.
        """
        manifest = await self._manifest(self._image.digest)
        if "manifests" in manifest:
            manifest = await self._manifest(_for_this_platform(manifest["manifests"]))
        found = manifest.get("layers")
        if not isinstance(found, list) or not found:
            raise FetchFailed("the image's manifest names no layers")
        return tuple(Layer(_digest_of(item), str(item.get("mediaType", ""))) for item in found)

    async def download(self, layer: Layer, sink: Sink) -> None:
        """Fetch a layer into a sink; valid when this returns.

        Raises:
            FetchFailed: It is not there, or is not what its digest says.
        """
        checking = _Checking(sink)
        async with self._get(f"blobs/{layer.digest}") as response:
            await self._http.read_into(response, checking)
        if checking.digest() != layer.digest:
            raise FetchFailed(f"the layer {layer.digest} has other bytes than its digest says")

    async def _manifest(self, digest: str) -> dict[str, Any]:
        async with self._get(f"manifests/{digest}", {"Accept": _ACCEPT}) as response:
            if response.status_code != _OK:
                raise FetchFailed(f"the registry answered with status {response.status_code}")
            body = await self._http.read(response, _MOST_MANIFEST_BYTES)
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise FetchFailed(f"the image's manifest has other bytes than {digest} says")
        return _json_object(body, "the image's manifest")

    @asynccontextmanager
    async def _get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        url = f"{self._base}/{path}"
        async with self._http.get(url, self._with_token(headers)) as response:
            if response.status_code != _UNAUTHORIZED or self._token:
                yield response
                return
            challenge = response.headers.get("WWW-Authenticate", "")
        self._token = await self._fetch_token(challenge)
        async with self._http.get(url, self._with_token(headers)) as response:
            yield response

    def _with_token(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), **({"Authorization": f"Bearer {self._token}"} if self._token else {})}

    async def _fetch_token(self, challenge: str) -> str:
        scheme, _, parameters = challenge.partition(" ")
        asked = dict(_PARAMETER.findall(parameters))
        realm = asked.get("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith("https://"):
            raise FetchFailed("the registry asks for a login, and the agent has none")
        query = {"service": asked.get("service", ""), "scope": f"repository:{self._image.repository}:pull"}
        async with self._http.get(f"{realm}?{urlencode(query)}") as response:
            if response.status_code != _OK:
                raise FetchFailed(f"the registry's token service answered with status {response.status_code}")
            document = _json_object(
                await self._http.read(response, _MOST_TOKEN_BYTES),
                "the answer of the registry's token service",
            )
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise FetchFailed("the registry's token service gave no token")
        return token


class _Checking:
    """Passes bytes on and takes their SHA-256."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sha256 = hashlib.sha256()

    async def write(self, block: bytes) -> None:
        self._sha256.update(block)
        await self._sink.write(block)

    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"


def _for_this_platform(items: object) -> str:
    for item in items if isinstance(items, list) else []:
        platform = item.get("platform") if isinstance(item, dict) else None
        if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == _PLATFORM:
            return _digest_of(item)
    raise FetchFailed("the image is not made for Linux on amd64")


def _digest_of(item: object) -> str:
    digest = item.get("digest") if isinstance(item, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise FetchFailed("the image's manifest names something without a sha256 digest")
    return digest


def _json_object(body: bytes, name: str) -> dict[str, Any]:
    document = json_object(body)
    if document is None:
        raise FetchFailed(f"{name} is malformed")
    return document
