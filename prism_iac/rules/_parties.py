"""Rules about what participants bring and who reads results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prism_iac.model import SourceKind, kind_of_source
from prism_iac.model.stack import StackFile
from prism_iac.rules._rule import Breach, Parameters

__all__ = ["encrypted_sources", "pinned_assets", "pinned_keys", "pinned_sources", "separate_consumers"]


def pinned_assets(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Uploaded assets that are whatever their file is on the machine of the update."""
    for name in _not_pinned(file, is_fetched=False):
        yield Breach(
            ("assets", name, "checksum"),
            "nothing pins the bytes, so whoever updates decides what is run",
            _PIN,
        )


def pinned_sources(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Fetched assets whose digest is that of whatever file is on the machine of the update."""
    for name in _not_pinned(file, is_fetched=True):
        yield Breach(
            ("assets", name, "checksum"),
            "nothing in the file pins what is fetched, and whoever has the store may change it",
            _PIN,
        )


_PIN: Final = "Say `locked: true` and run `prism-iac lock`, or give its `checksum:`."


def _not_pinned(file: StackFile, *, is_fetched: bool) -> Iterator[str]:
    for name, asset in file.assets.items():
        if (asset.source is not None) is is_fetched and asset.checksum is None and not file.locked:
            yield name


def encrypted_sources(file: StackFile, _: Parameters) -> Iterator[Breach]:
    """Assets that are fetched in clear, so that the network reads them."""
    for name, asset in file.assets.items():
        source = asset.source
        if source is not None and kind_of_source(source.url) is SourceKind.HTTP and not source.encrypted:
            yield Breach(
                ("assets", name, "source", "url"),
                "it is fetched over http in clear: the network reads it",
                "Say `https://`, or encrypt it and name its key.",
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
