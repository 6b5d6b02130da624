"""The manifest of a declared computation, from the stack file and the files that it names alone."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.errors import Finding, InvalidInput
from prism_iac.model import Manifest, ManifestAlgorithm, ManifestDataset, path_text, sha3_256_of_path, shown
from prism_iac.pki import parse_public_key
from prism_iac.spec._stack import Stack, StackAsset, StackComputation, StackParticipant

__all__ = ["digest_of_asset", "render_manifest"]


def render_manifest(computation: StackComputation, stack: Stack) -> Manifest:
    """The portable manifest: what Prism returns once the computation exists, but for its id and mark.

    Args:
        computation: One of the stack.
        stack: Tells where things are written.

    Raises:
        InvalidInput: A participant's key is not in the file, or an asset cannot be read; with every finding.
    """
    findings = [*_missing_keys(computation, stack)]
    if findings:
        raise InvalidInput(findings)
    algorithm = computation.algorithm
    return Manifest(
        id="",
        name=computation.name,
        description=computation.description,
        algorithm=ManifestAlgorithm(
            hash=digest_of_asset(algorithm, stack), user_key=_key_of(algorithm.provider)
        ),
        datasets=tuple(
            ManifestDataset(
                hash=digest_of_asset(dataset, stack),
                user_key=_key_of(dataset.provider),
                filename=dataset.file_name or "",
            )
            for dataset in computation.datasets
        ),
        result_consumers=tuple(map(_key_of, computation.result_consumers)),
    ).portable()


def digest_of_asset(asset: StackAsset, stack: Stack) -> bytes:
    """The SHA3-256 of an asset: of its file where it is on this machine, else as stated.

    Raises:
        InvalidInput: The file cannot be read.
    """
    if asset.file is None:
        return bytes.fromhex(asset.checksum or "")
    try:
        return sha3_256_of_path(asset.file)
    except OSError as error:
        location = ("assets", asset.name, "file")
        message = f"{shown(error.filename)} cannot be read: {error.strerror}"
        raise InvalidInput(
            [
                Finding(
                    *stack.origin(*location), path_text(location), message, "Check the path and its rights."
                )
            ]
        ) from error


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


def _key_of(participant: StackParticipant) -> bytes:
    return parse_public_key((participant.public_key or "").encode())
