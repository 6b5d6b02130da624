"""Rules about what participants bring and who reads results."""

from __future__ import annotations

from collections.abc import Iterator

from prism_iac.model.stack import StackFile
from prism_iac.rules._rule import Breach, Parameters

__all__ = ["pinned_assets", "pinned_keys", "separate_consumers"]


def pinned_assets(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Assets that are whatever their file is on the machine of the update."""
    if file.locked:
        return
    for name, asset in file.assets.items():
        if asset.checksum is None:
            yield Breach(
                ("assets", name, "checksum"),
                "nothing pins the bytes, so whoever updates decides what is run",
                "Say `locked: true` and run `prism-iac lock`, or give its `checksum:`.",
            )


def pinned_keys(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Participants who register whichever key they like."""
    for name, participant in file.participants.items():
        if participant.public_key is None:
            yield Breach(
                ("participants", name, "public_key"),
                "the participant's key is not in the file, so reviewers do not see it change",
                "Name the file of the public key.",
            )


def separate_consumers(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Computations whose result goes to the provider of the algorithm alone."""
    for name, computation in file.computations.items():
        algorithm = file.assets.get(computation.algorithm)
        brought = {
            file.assets[dataset].provider for dataset in computation.datasets if dataset in file.assets
        }
        if algorithm is None or not brought - {algorithm.provider}:
            continue
        if set(computation.result_consumers) == {algorithm.provider}:
            yield Breach(
                ("computations", name, "result_consumers"),
                "who brings the algorithm alone reads what it makes of the data of others",
                "Let a provider of the data consume the result, too.",
            )
