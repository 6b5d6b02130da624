"""Carries computations from one environment to the next, and says so in a signed record.

1. The source's lock must hold; where the source takes promotions itself, so must its records.
2. For each computation: a completed run of exactly what the lock pins, not older than allowed.
3. Checksums that the target's files state are brought to the pins; comments and all else stay.
4. The target must be made of what was run: the same algorithm and datasets, under the same names of files.
5. Nothing else of the target may change: what is not named stays as its lock has it.
6. The target's lock is written, and the record that it rests on.

Who takes part, and everything that is no artefact, is the target's own; the record has its manifest, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.model import Manifest, RemoteSource, nearest
from prism_iac.model.stack import LockFile
from prism_iac.pki import Envelope, load_private_key
from prism_iac.promotion._evidence import find_evidence
from prism_iac.promotion._parity import Difference, differences_between
from prism_iac.promotion._signer import name_of_signer
from prism_iac.promotion._write import edited, write_text
from prism_iac.spec import Stack, load_stack
from prism_iac.spec.lock import (
    AssetDigests,
    edit_lock,
    lock_path,
    read_lock,
    render_manifest,
    resolve_pins,
    restate_checksums,
)
from prism_iac.spec.promotions import (
    PAYLOAD_TYPE,
    Evidence,
    Promoted,
    Promotion,
    Record,
    approvals_of,
    file_name,
    read_records,
    records_folder,
    terms_of,
    verify_history,
    verify_links,
    verify_promotions,
)

__all__ = ["Carried", "promote"]


@dataclass(frozen=True, slots=True)
class Carried:
    """What a promotion did.

    Attributes:
        record: The file of the record.
        edited: The stack files that state other checksums from now on.
        parity: What differs between the environments.
        replaced: A record that was never approved, and whose place this one takes.
    """

    promotion: Promotion
    record: Path
    edited: Sequence[Path]
    parity: Sequence[Difference]
    replaced: Path | None


@dataclass(frozen=True, slots=True)
class _Proven:
    manifest: Manifest
    evidence: Evidence


def promote(
    source_file: Path,
    target_file: Path,
    names: Sequence[str],
    *,
    resources: Iterable[Mapping[str, Any]],
    key_pem: bytes,
    now: datetime,
    max_age: timedelta,
) -> Carried:
    """Carry computations from one environment to another.

    Nothing is written when it is refused.

    Args:
        source_file: The stack file of the environment that has proven them.
        target_file: The stack file of the environment that gets them.
        names: The computations; all of the target without any.
        resources: The resources in the state of the source.
        key_pem: The private key that signs: of a participant of the target, or its platform key.
        now: Aware.
        max_age: How long ago a run may have ended.

    Raises:
        Conflict: Something was not proven, or more would change than was named.
        InvalidInput: A file is wrong.
        VerificationFailure: The records of an environment do not hold.
    """
    source = load_stack(source_file)
    locked = read_lock(source_file)
    if locked is None:
        raise Conflict(
            "nothing is pinned here yet",
            where=str(lock_path(source_file)),
            next_step=f"Run `prism-iac lock --stack {source_file}`, then let it run.",
        )
    if source.promotion is not None:
        verify_promotions(source_file, source)
    chosen = _chosen(names, locked.pins, source)
    state = [*resources]
    proven = {
        name: _Proven(
            *find_evidence(
                state,
                name,
                locked.pins.computations[name].manifest_sha3_256,
                environment=source.environment,
                now=now,
                max_age=max_age,
            )
        )
        for name in chosen
    }
    pins = {name: pin.sha3_256 for name, pin in locked.pins.assets.items()}
    with edited(restate_checksums(target_file, chosen, pins)) as changed:
        target = load_stack(target_file)
        digests = AssetDigests(target)
        earlier, replaced = _earlier(target, target_file)
        promotion = Promotion(
            number=len(earlier) + 1,
            previous_sha256=earlier[-1].sha256 if earlier else None,
            source=source.environment,
            environment=target.environment,
            promoted_at=now.astimezone(UTC).isoformat(timespec="seconds"),
            promoted_by=name_of_signer(key_pem, terms_of(target), stack_file=target_file),
            computations={
                name: _promoted(name, target, digests, locked.pins, proven[name]) for name in chosen
            },
            lock=_lock(target, target_file, digests, chosen),
            terms=terms_of(target),
        )
        envelope = Envelope(PAYLOAD_TYPE, promotion.to_payload()).signed(load_private_key(key_pem))
        record = records_folder(target_file, target) / file_name(promotion)
        text = lock_path(target_file).read_text(encoding="utf-8") if read_lock(target_file) else None
        if replaced is not None:
            replaced.unlink()
        write_text(record, envelope.to_bytes().decode())
        write_text(lock_path(target_file), edit_lock(text, promotion.lock))
    return Carried(promotion, record, changed, differences_between(source, target), replaced)


def _chosen(names: Sequence[str], pins: LockFile, source: Stack) -> Sequence[str]:
    missing = [name for name in names if name not in pins.computations]
    if missing:
        raise InvalidInput(
            Finding(
                file=str(lock_path(source.files[-1])),
                line=1,
                column=1,
                path="computations",
                message=f'the lock has no computation "{name}"',
                fix=nearest(name, pins.computations),
            )
            for name in missing
        )
    return tuple(dict.fromkeys(names)) or tuple(pins.computations)


def _earlier(target: Stack, target_file: Path) -> tuple[Sequence[Record], Path | None]:
    """The records that the next one follows, and the one that it replaces: never approved, so never in force."""
    records = read_records(records_folder(target_file, target))
    verify_links(records, target.environment)
    verify_history(records[:-1])
    if records and not approvals_of(records[-1], records[-1].promotion.terms).are_reached:
        return records[:-1], records[-1].path
    return records, None


def _promoted(name: str, target: Stack, digests: AssetDigests, pins: LockFile, proven: _Proven) -> Promoted:
    computation = target.computations.get(name)
    if computation is None:
        raise Conflict(
            f'{target.environment} has no computation "{name}"',
            where=str(target.files[-1]),
            next_step="Declare it there, or in a file that it extends.",
        )
    manifest = render_manifest(computation, target, digests=digests)
    assets = {asset.name: digests.of(asset).hex() for asset in (computation.algorithm, *computation.datasets)}
    for asset, found in assets.items():
        _require_pinned(asset, found, target, pins)
    _require_same_artefacts(name, manifest, target, proven)
    return Promoted(
        source_manifest_sha3_256=pins.computations[name].manifest_sha3_256,
        manifest_sha3_256=manifest.digest().hex(),
        assets=assets,
        evidence=proven.evidence,
    )


def _require_pinned(asset: str, found: str, target: Stack, pins: LockFile) -> None:
    pinned = pins.assets.get(asset)
    if pinned is None or pinned.sha3_256 != found:
        said = pinned.sha3_256 if pinned else "nothing"
        raise Conflict(
            f"{asset} is {found} here, and what was proven is {said}",
            where=str(target.origin("assets", asset)),
            next_step="Bring the file back that was proven, or let this one run in "
            f"{pins.environment}, locked, first.",
        )


def _require_same_artefacts(name: str, manifest: Manifest, target: Stack, proven: _Proven) -> None:
    """The last word: by what the agent was told, whatever the assets are called."""
    if _artefacts(manifest) != _artefacts(proven.manifest):
        raise Conflict(
            f"{name} has other assets, or other file names, than what was proven",
            where=str(target.origin("computations", name)),
            next_step="Let it have the same algorithm and datasets in both environments.",
        )
    # What starts an algorithm that is uploaded is no part of the manifest.
    wanted, proven_source = manifest.algorithm.source, proven.manifest.algorithm.source
    if wanted is not None and proven_source is not None and _start(wanted) != _start(proven_source):
        raise Conflict(
            f"{name} starts its algorithm in another way than what was proven",
            where=str(target.origin("computations", name)),
            next_step="Give the algorithm the same runtime and arguments in both environments.",
        )


def _start(source: RemoteSource) -> tuple[object, ...]:
    return source.runtime, tuple(source.arguments)


def _artefacts(manifest: Manifest) -> tuple[object, ...]:
    return manifest.algorithm.hash, sorted((item.filename, item.hash) for item in manifest.datasets)


def _lock(target: Stack, target_file: Path, digests: AssetDigests, chosen: Sequence[str]) -> LockFile:
    """The lock of the target; refused where more changes than what was named."""
    pins = resolve_pins(target, digests=digests)
    locked = read_lock(target_file)
    before = locked.pins.computations if locked else {}
    for name, pin in pins.computations.items():
        if name not in chosen and before.get(name) != pin:
            what = "changes with it" if name in before else "was never promoted"
            raise Conflict(
                f"{name} {what}, and is not named",
                where=str(target.origin("computations", name)),
                next_step=f"Promote it as well: `prism-iac promote … {' '.join(sorted({*chosen, name}))}`.",
            )
    return pins
