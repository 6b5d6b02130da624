"""How far the latest run has come, what it waits for, and why it failed."""

from __future__ import annotations

from typing import Final

from prism_iac.agent import Refusal
from prism_iac.cli._outcome import Outcome, failed, fine, skipped
from prism_iac.cli.diagnose._reasons import fix_of
from prism_iac.cli.diagnose._subject import Subject
from prism_iac.model import AgentState, AssetKind, ComputationStatus, details_of

__all__ = ["check_checksums", "check_last_run", "check_uploads"]

_LAST_LINES: Final = 3


def check_uploads(subject: Subject) -> Outcome:
    """Whether the run waits for what somebody has not uploaded yet."""
    if subject.current_run is None:
        return skipped("no run is going on")
    state = subject.vm.state if subject.vm else None
    if state is AgentState.RECEIVING_ALGORITHM:
        awaited, command = (
            [*subject.assets_of(AssetKind.ALGORITHM), *subject.assets_of(AssetKind.DATASET)],
            "algo",
        )
    elif state is AgentState.RECEIVING_DATA:
        awaited, command = subject.assets_of(AssetKind.DATASET), "data"
    else:
        return fine(f"the agent is in the phase {state}")
    awaited = [asset for asset in awaited if asset.source is None]
    if not awaited:
        return fine(f"the agent is in the phase {state}, and fetches what it waits for itself")
    people = ", ".join(
        f"{asset.file_name or asset.id} from {subject.name_of(asset.user_id)}" for asset in awaited
    )
    # Prism does not tell which of several datasets have arrived.
    some = "some of " if command == "data" and len(awaited) > 1 else ""
    return failed(
        f"the agent is in the phase {state}",
        cause=f"the run waits for {some}{people}",
        fix=f"Run `prism-iac {command} FILE --computation {subject.record.name} --key KEY.pem`; "
        "the algorithm comes first.",
    )


def check_checksums(subject: Subject) -> Outcome:
    """Whether the agent refused a file that is not the one that was registered."""
    if subject.run is None:
        return skipped("it has not been run")
    refused = [entry.message for entry in subject.logs if Refusal.HASH_DIFFERS in entry.message]
    if refused:
        return failed(
            refused[0],
            cause="an upload is not the file whose SHA3-256 the asset says",
            fix="Compare with `prism-iac checksum FILE`; upload that very file, or register the asset anew.",
        )
    return fine("no upload was refused for its SHA3-256")


def check_last_run(subject: Subject) -> Outcome:
    """Whether the latest run failed, with its reason and its last words."""
    run = subject.run
    if run is None:
        return skipped("it has not been run")
    if run.status is not ComputationStatus.FAILED:
        return fine(f"run {run.number} is {run.status}")
    reason = next(filter(None, map(_error_of, (event.details for event in subject.events))), "")
    lines = [entry.message.strip() for entry in subject.logs[:_LAST_LINES]]
    return failed(
        " | ".join(reversed(lines)) or "the agent logged nothing",
        cause=f"run {run.number} failed: {reason or 'its agent gave no reason'}",
        fix=fix_of(reason, *lines) or _fix(subject),
    )


def _fix(subject: Subject) -> str:
    name, vm = subject.record.name, subject.vm.name if subject.vm else "NAME"
    return (
        f"Look at `prism-iac computations logs {name}`; correct it, and run again "
        f"with `prism-iac computations run {name} --vm {vm}`."
    )


def _error_of(details: bytes) -> str:
    error = details_of(details).get("error")
    return error if isinstance(error, str) else ""
