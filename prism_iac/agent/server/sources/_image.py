"""Takes the algorithm or the dataset out of an image (cocos-grpc.md section 4.5)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from prism_iac.agent.server._incoming import IncomingFile
from prism_iac.agent.server.sources._failure import FetchFailed
from prism_iac.agent.server.sources._http import Http
from prism_iac.agent.server.sources._layers import (
    Budget,
    FoundFile,
    Pick,
    files_of,
    is_algorithm,
    is_dataset,
    is_requirements,
    unpack_layer,
)
from prism_iac.agent.server.sources._registry import Layer, Registry, parse_image
from prism_iac.model import RemoteSource, archive_folder

__all__ = ["fetch_algorithm_of_image", "fetch_dataset_of_image"]


async def fetch_algorithm_of_image(
    http: Http,
    remote: RemoteSource,
    algorithm: IncomingFile,
    requirements: IncomingFile,
    *,
    size_bytes: int,
) -> None:
    """Write the first file that is an algorithm of the stated kind, and the first requirements, the top layer first.

    Raises:
        FetchFailed: The image is not what it should be, or has no such file.
        OSError: The disk does not take it.
    """
    kind = remote.runtime or ""
    is_wanted = is_algorithm(kind)
    needs_requirements = kind == "python"

    def pick(name: str, mode: int) -> bool:
        return is_wanted(name, mode) or (needs_requirements and is_requirements(name, mode))

    async with _Pulled(http, remote.url, algorithm.path.parent, size_bytes) as pulled:
        program: FoundFile | None = None
        packages: FoundFile | None = None
        for layer in reversed(await pulled.layers()):
            for found in await pulled.files(layer, pick):
                if is_requirements(Path(found.name).name.lower(), found.mode):
                    packages = packages or found
                else:
                    program = program or found
            if program and (packages or not needs_requirements):
                break
        if program is None:
            raise FetchFailed(
                f"failed to extract algorithm from OCI image: it has no file of the type {kind}"
            )
        await _write(program.place, algorithm)
        if packages is not None:
            await _write(packages.place, requirements)


async def fetch_dataset_of_image(http: Http, url: str, dataset: IncomingFile, size_bytes: int) -> None:
    """Write the only data file of an image, or the archive of all; a file of a higher layer hides lower ones.

    Raises:
        FetchFailed: The image is not what it should be, or has no data.
        OSError: The disk does not take it.
    """
    async with _Pulled(http, url, dataset.path.parent, size_bytes) as pulled:
        found: dict[str, FoundFile] = {}
        for layer in reversed(await pulled.layers()):
            in_layer = {item.name: item for item in await pulled.files(layer, is_dataset)}
            found = in_layer | found
        if not found:
            raise FetchFailed("failed to extract dataset from OCI image: it has no data file")
        if len(found) == 1:
            await _write(next(iter(found.values())).place, dataset)
            return
        for block in await asyncio.to_thread(_archive, found, pulled.folder / "data"):
            await dataset.write(block)


class _Pulled:
    """An image while its files are looked at; what was pulled is gone afterwards."""

    def __init__(self, http: Http, url: str, parent: Path, size_bytes: int) -> None:
        self._registry = Registry(http, parse_image(url))
        self._budget = Budget(size_bytes)
        self._fetched = Budget(size_bytes)
        self._temporary = tempfile.TemporaryDirectory(dir=parent)
        self.folder = Path(self._temporary.name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._temporary.cleanup)

    async def layers(self) -> tuple[Layer, ...]:
        """The layers, the lowest first."""
        found = await self._registry.layers()
        if any("encrypted" in layer.media_type for layer in found):
            raise FetchFailed(
                "the image's layers are encrypted, which takes the key provider of Confidential Containers; "
                "this agent has none"
            )
        return found

    async def files(self, layer: Layer, pick: Pick) -> list[FoundFile]:
        """The picked files of a layer."""
        with IncomingFile(self.folder) as blob:
            await self._registry.download(layer, blob)
            blob.finish()
            self._fetched.take(blob.size_bytes)
            return await asyncio.to_thread(self._look, blob.path, pick)

    def _look(self, blob: Path, pick: Pick) -> list[FoundFile]:
        archive = unpack_layer(blob, self.folder, self._budget)
        try:
            return [*files_of(archive, pick, self.folder, self._budget)]
        finally:
            archive.unlink()


async def _write(place: Path, sink: IncomingFile) -> None:
    with place.open("rb") as file:
        while block := await asyncio.to_thread(file.read, 1 << 20):
            await sink.write(block)


def _archive(found: dict[str, FoundFile], folder: Path) -> Iterator[bytes]:
    for name, item in found.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        item.place.rename(place)
        place.chmod(item.mode)  # the mode enters the digest
    return archive_folder(folder)
