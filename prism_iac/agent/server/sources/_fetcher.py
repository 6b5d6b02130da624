"""Fetches one item of a manifest: the kind of its source decides how, and a broker gives the key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from prism_iac.agent.server._incoming import IncomingFile
from prism_iac.agent.server.sources._buckets import gcs_url, s3_request
from prism_iac.agent.server.sources._decrypt import decrypt_file
from prism_iac.agent.server.sources._failure import FetchFailed, told
from prism_iac.agent.server.sources._http import Http, Sink
from prism_iac.agent.server.sources._image import fetch_algorithm_of_image, fetch_dataset_of_image
from prism_iac.agent.server.sources._kbs import fetch_key
from prism_iac.agent.server.sources._settings import SourceSettings
from prism_iac.attestation import SimulatedGuest
from prism_iac.model import RemoteSource, SourceKind, kind_of_source

__all__ = ["Fetcher"]


class Fetcher:
    """Fetches within the bounds of its settings.

    Args:
        guest: Proves this VM to key brokers; None when it cannot.
        now: The time, aware and in UTC.
    """

    def __init__(
        self, settings: SourceSettings, guest: SimulatedGuest | None, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._guest = guest
        self._now = now

    async def fetch_algorithm(
        self, remote: RemoteSource, algorithm: IncomingFile, requirements: IncomingFile
    ) -> None:
        """Write the plain bytes of an algorithm, and the requirements that an image has beside it.

        Raises:
            FetchFailed: It cannot be had.
            OSError: The disk does not take it.
        """
        async with self._bounded(remote) as (http, kind):
            if kind is SourceKind.OCI_IMAGE:
                await fetch_algorithm_of_image(
                    http, remote, algorithm, requirements, size_bytes=self._settings.size_bytes
                )
            else:
                await self._fetch_object(http, kind, remote, algorithm)

    async def fetch_dataset(self, remote: RemoteSource, dataset: IncomingFile) -> None:
        """Write the plain bytes of a dataset; errors as in `fetch_algorithm`."""
        async with self._bounded(remote) as (http, kind):
            if kind is SourceKind.OCI_IMAGE:
                await fetch_dataset_of_image(http, remote.url, dataset, self._settings.size_bytes)
            else:
                await self._fetch_object(http, kind, remote, dataset)

    @asynccontextmanager
    async def _bounded(self, remote: RemoteSource) -> AsyncIterator[tuple[Http, SourceKind]]:
        kind = kind_of_source(remote.url)
        if kind is None:
            raise FetchFailed(f"unsupported source URL format: {told(remote.url)}")
        http = Http(self._settings)
        try:
            async with asyncio.timeout(self._settings.seconds):
                yield http, kind
        except TimeoutError as error:
            raise FetchFailed(
                f"{told(remote.url)} was not fetched within {self._settings.seconds:g} seconds"
            ) from error
        finally:
            await http.close()

    async def _fetch_object(
        self, http: Http, kind: SourceKind, remote: RemoteSource, plain: IncomingFile
    ) -> None:
        if not remote.encrypted:
            await self._download(http, kind, remote.url, plain)
            return
        with IncomingFile(plain.path.parent) as sealed:
            await self._download(http, kind, remote.url, sealed)
            sealed.finish()
            try:
                key = await fetch_key(http, self._guest, remote.kbs_url, remote.kbs_resource_path)
            except FetchFailed as error:
                raise FetchFailed(f"failed to retrieve decryption key from KBS: {error}") from error
            try:
                await decrypt_file(sealed.path, key, plain)
            except FetchFailed as error:
                raise FetchFailed(f"failed to decrypt resource: {error}") from error

    async def _download(self, http: Http, kind: SourceKind, url: str, sink: Sink) -> None:
        try:
            if kind is SourceKind.S3:
                target, headers = s3_request(url, self._settings.aws, self._now())
                await http.download(target, sink, headers)
            else:
                is_gcs = kind is SourceKind.GCS
                await http.download(gcs_url(url, self._settings.gcs_endpoint) if is_gcs else url, sink)
        except FetchFailed as error:
            raise FetchFailed(f"failed to download resource from {told(url)}: {error}") from error
