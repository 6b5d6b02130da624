"""Whether a computation is complete: who takes part, with which assets and keys."""

from __future__ import annotations

from typing import Final

from prism_iac.cli._outcome import Outcome, failed, fine
from prism_iac.cli.diagnose._subject import Subject
from prism_iac.model import Action, AssetKind

__all__ = ["check_assets", "check_keys", "check_roles"]

_NEEDED: Final = {
    Action.ALGO_PROVIDER: "provides the algorithm",
    Action.RESULT_CONSUMER: "consumes the result",
}


def check_roles(subject: Subject) -> Outcome:
    """Whether somebody provides the algorithm, and somebody consumes the result."""
    absent = [action for action in _NEEDED if not _members(subject, action)]
    if absent:
        return failed(
            f"{len(subject.roles)} roles",
            cause=" and ".join(f"nobody {_NEEDED[action]}" for action in absent),
            fix="Name the algorithm and `result_consumers` in the stack, or give somebody a role with "
            f"{' and '.join(absent)}.",
        )
    members = {member for role in subject.roles for member in role.members}
    return fine(f"{len(members)} people in {len(subject.roles)} roles")


def check_assets(subject: Subject) -> Outcome:
    """Whether the algorithm and the datasets are linked, by people who may bring them."""
    kinds = [AssetKind.ALGORITHM]
    if _members(subject, Action.DATASET_PROVIDER):
        kinds.append(AssetKind.DATASET)
    absent = [kind for kind in kinds if not subject.assets_of(kind)]
    evidence = ", ".join(sorted(asset.file_name or asset.id for asset in subject.assets)) or "none is linked"
    if absent:
        return failed(
            evidence,
            cause=f"no {' and no '.join(absent)} is linked",
            fix="Its provider links it; in a stack, name it in `algorithm` or `datasets`.",
        )
    astray = [
        asset
        for asset in subject.assets
        if asset.asset_type and asset.user_id not in _owners(subject, asset.asset_type)
    ]
    if astray:
        names = ", ".join(
            sorted(f"{asset.file_name or asset.id} of {subject.name_of(asset.user_id)}" for asset in astray)
        )
        return failed(
            names,
            cause="its owner does not hold the provider's role any more",
            fix="Give the role back, or unlink the asset.",
        )
    return fine(evidence)


def check_keys(subject: Subject) -> Outcome:
    """Whether everybody who takes part has registered a public key."""
    people = sorted(subject.name_of(user) for user in subject.missing.keys)
    if people:
        return failed(
            f"{len(people)} without a key",
            cause=f"no public key is registered for {', '.join(people)}",
            fix=f"Each runs `prism-iac keys register {subject.record.name} --key KEY.pub.pem`.",
        )
    return fine("everybody has registered one")


def _owners(subject: Subject, kind: AssetKind) -> set[str]:
    action = Action.ALGO_PROVIDER if kind is AssetKind.ALGORITHM else Action.DATASET_PROVIDER
    return _members(subject, action)


def _members(subject: Subject, action: Action) -> set[str]:
    return {member for role in subject.roles if action in role.actions for member in role.members}
