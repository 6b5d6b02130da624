"""Computations: the right kind of asset in each place, and runs that can take place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from prism_iac.errors import Finding
from prism_iac.model import AssetKind, Location, findings_of, nearest, shown
from prism_iac.model.resources import Participant
from prism_iac.model.stack import ComputationEntry, RunPolicy
from prism_iac.spec._draft import Draft
from prism_iac.spec._upload import upload_name

__all__ = ["check_computations"]


def check_computations(draft: Draft) -> Iterator[Finding]:
    """Assets of the wrong kind, names that stand twice, actions that do not exist, runs without a VM."""
    for name, computation in draft.computations.items():
        location = ("computations", name)
        yield from _kind(draft, (*location, "algorithm"), computation.algorithm, AssetKind.ALGORITHM)
        for index, dataset in enumerate(computation.datasets):
            yield from _kind(draft, (*location, "datasets", index), dataset, AssetKind.DATASET)
        yield from _repeated(draft, (*location, "datasets"), computation.datasets)
        yield from _repeated(draft, (*location, "result_consumers"), computation.result_consumers)
        yield from _same_upload(draft, location, computation)
        yield from _actions(draft, location, computation)
    yield from _runs(draft)


def _kind(draft: Draft, location: Location, name: str, wanted: AssetKind) -> Iterator[Finding]:
    asset = draft.assets.get(name)
    if asset and asset.kind is not wanted:
        fitting = [other for other, candidate in draft.assets.items() if candidate.kind is wanted]
        yield draft.finding(
            location,
            f'"{name}" is {_with_article(asset.kind)}, and {_with_article(wanted)} belongs here',
            nearest(name, fitting) or f"Declare one under `assets:` with `kind: {wanted}`.",
        )


def _with_article(kind: AssetKind) -> str:
    return "an algorithm" if kind is AssetKind.ALGORITHM else "a dataset"


def _repeated(draft: Draft, location: Location, names: Sequence[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield draft.finding(
                (*location, index), f'"{name}" stands here twice', "Remove it, or name the other one meant."
            )


def _same_upload(draft: Draft, location: Location, computation: ComputationEntry) -> Iterator[Finding]:
    uploaded: dict[str, str] = {}
    for index, name in enumerate(computation.datasets):
        asset = draft.assets.get(name)
        file_name = upload_name(asset) if asset else None
        other = uploaded.setdefault(file_name, name) if file_name else name
        if other != name:
            yield draft.finding(
                (*location, "datasets", index),
                f'"{other}" is uploaded as {shown(file_name)} too, and one would replace the other',
                "Rename one of the files.",
            )


def _actions(draft: Draft, location: Location, computation: ComputationEntry) -> Iterator[Finding]:
    for name, actions in computation.participants.items():
        for index, action in enumerate(actions):
            at = (*location, "participants", name, index)
            try:
                Participant.model_validate(
                    {"workspace": "any", "computation": "any", "user": "any", "actions": [action]}
                )
            except ValidationError as error:
                for finding in findings_of(error, Participant).findings:
                    yield draft.finding(at, finding.message, finding.fix)


def _runs(draft: Draft) -> Iterator[Finding]:
    running_on: dict[str, str] = {}
    for name, computation in draft.computations.items():
        if computation.run is not RunPolicy.ON_CHANGE:
            continue
        location = ("computations", name)
        if computation.vm is None:
            yield draft.finding(
                (*location, "run"),
                "a run needs a VM to run on",
                "Add `vm:` with the name of a VM, or say `run: never`.",
            )
            continue
        other = running_on.setdefault(computation.vm, name)
        if other != name:
            yield draft.finding(
                (*location, "vm"),
                f'"{other}" runs on "{computation.vm}" too, and a VM runs one computation at a time',
                "Give it a VM of its own, or say `run: never` and run it by hand.",
            )
