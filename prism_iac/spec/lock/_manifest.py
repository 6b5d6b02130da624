"""The manifest of a declared computation, from the stack file and the files that it names alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, path_text, sha3_256_of_path, shown
from prism_iac.pki import parse_public_key
from prism_iac.spec._stack import Stack, StackAsset, StackComputation, StackParticipant

__all__ = ["AssetDigests", "render_manifest"]


class AssetDigests:
    """The SHA3-256 of a stack's assets: of a file on this machine, else as stated. Each file is read once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._known: dict[str, bytes] = {}

    def of(self, asset: StackAsset) -> bytes:
        """The digest of one asset.

        Raises:
            InvalidInput: Its file cannot be read.
        """
        if asset.name not in self._known:
            self._known[asset.name] = self._compute(asset)
        return self._known[asset.name]

    def _compute(self, asset: StackAsset) -> bytes:
        if asset.file is None:
            return bytes.fromhex(asset.checksum or "")
        try:
            return sha3_256_of_path(asset.file)
        except OSError as error:
            location = ("assets", asset.name, "file")
            message = f"{shown(error.filename)} cannot be read: {error.strerror}"
            place = self._stack.origin(*location)
            raise InvalidInput(
                [Finding(*place, path_text(location), message, "Check the path and its rights.")]
            ) from error


def render_manifest(
    computation: StackComputation, stack: Stack, *, digests: AssetDigests | None = None
) -> Manifest:
    """The portable manifest: what Prism returns once the computation exists, but for its id and mark.

    Args:
        computation: One of the stack.
        stack: Tells where things are written.
        digests: Those of the stack, where several manifests are rendered.

    Raises:
        InvalidInput: A participant's key is not in the file, or an asset cannot be read; with every finding.
    """
    findings = [*_missing_keys(computation, stack)]
    if findings:
        raise InvalidInput(findings)
    digests = digests or AssetDigests(stack)
    algorithm = computation.algorithm
    return Manifest(
        id="",
        name=computation.name,
        description=computation.description,
        algorithm=ManifestAlgorithm(
            hash=digests.of(algorithm), user_key=_key_of(algorithm.provider), source=algorithm.source
        ),
        datasets=tuple(
            ManifestDataset(
                hash=digests.of(dataset),
                user_key=_key_of(dataset.provider),
                filename=dataset.file_name or "",
                source=dataset.source,
            )
            for dataset in computation.datasets
        ),
        result_consumers=tuple(map(_key_of, computation.result_consumers)),
    ).portable()


def _missing_keys(computation: StackComputation, stack: Stack) -> Iterator[Finding]:
    for participant in computation.participants:
        if participant.public_key is None:
            location = ("participants", participant.name)
            yield Finding(
                *stack.origin(*location),
                path_text((*location, "public_key")),
                f"the manifest of {computation.name} has this participant's key, and the file does not name it",
                "Name the file of the public key.",
            )


@lru_cache(maxsize=1024)  # a key takes longer to read than the rest of a manifest to make
def _key_of(participant: StackParticipant) -> bytes:
    return parse_public_key((participant.public_key or "").encode())
