"""The life of an asset: a record of what a participant uploads or the agent fetches, known by its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from prism_iac.errors import Conflict, Finding, InvalidInput, PartialResult
from prism_iac.lifecycle._context import Context
from prism_iac.lifecycle._handler import Handler, Live, whereabouts
from prism_iac.model import (
    AssetKind,
    Refusal,
    RemoteSource,
    contains_unknown,
    mark_of,
    marked,
    name_of_source,
    require_fitting_source,
    sha3_256_of_path,
    words_of,
)
from prism_iac.model.resources import Asset
from prism_iac.prism import NotFound

if TYPE_CHECKING:
    from prism_iac.prism import AssetContent, AssetRecord

__all__ = ["AssetHandler"]

_KEEPS_NO_SOURCE = "this Prism keeps no sources, so agents would wait for an upload"
_UPLOAD = "Leave `source` out and let its provider upload it, or use the embedded backend."


class AssetHandler(Handler[Asset]):
    """Acts as the participant who provides the asset."""

    model = Asset

    def complete(self, desired: Asset, _context: Context) -> Asset:
        """Take checksum and file name from the file; hold a given checksum against it, and a source against the kind."""
        return _with_source(_with_file(desired))

    def create(self, desired: Asset, context: Context) -> Live[Asset]:
        """Find the record that carries our mark, or make it."""
        record = _marked(desired, context)
        if record is not None:
            return self.update(Live(record.id, desired.with_(source=record.source)), desired, context)
        assets = context.session.acting_for(desired.provider, desired.workspace).assets
        made = Live(assets.create(_content(desired), idempotency_key=mark_of(desired.identity)), desired)
        if desired.source is not None and assets.get(made.id).source != desired.source:
            raise PartialResult(
                _KEEPS_NO_SOURCE, id=made.id, state=desired.with_(source=None).properties(), next_step=_UPLOAD
            )
        return made

    def find(self, desired: Asset, context: Context) -> Live[Asset] | None:
        """By the mark."""
        record = _marked(desired, context)
        return None if record is None else self.read(Live(record.id, desired), context)

    def read(self, live: Live[Asset], context: Context) -> Live[Asset] | None:
        """The record as it is; its sample is that of the file, or none that is known."""
        record = context.session.snapshot(live.state.workspace).assets.get(live.id)
        if record is None:
            return None
        state = _actual(record, live.state, context)
        return Live(
            live.id, state if _has_its_sample(record, state, context) else state.with_(sample_file=None)
        )

    def recall(self, object_id: str, context: Context) -> Live[Asset] | None:
        """By the id of the record, which knows the digest of the file and not its path."""
        workspace, asset_id = whereabouts(object_id, context)
        record = context.session.snapshot(workspace).assets.get(asset_id)
        if record is None or record.asset_type is None:
            return None
        is_own = record.user_id == context.session.platform_user.id
        nothing_known = Asset(
            identity=context.identity,
            workspace=workspace,
            asset_type=record.asset_type,
            description=words_of(record.description),
            checksum=record.checksum,
            source=record.source,
            provider=None if is_own else context.session.name_of(record.user_id),
        )
        return Live(record.id, _actual(record, nothing_known, context))

    def update(self, live: Live[Asset], desired: Asset, context: Context) -> Live[Asset]:
        """Send the whole record."""
        assets = context.session.acting_for(desired.provider, desired.workspace).assets
        assets.update(live.id, _content(desired, had_source=live.state.source is not None))
        if desired.source != live.state.source and assets.get(live.id).source != desired.source:
            raise Conflict(_KEEPS_NO_SOURCE, where=f"asset {desired.file_name or live.id}", next_step=_UPLOAD)
        return Live(live.id, desired.with_(computations=live.state.computations))

    def delete(self, live: Live[Asset], context: Context) -> None:
        """Remove the record; one that is still linked is refused."""
        assets = context.session.acting_for(live.state.provider, live.state.workspace).assets
        try:
            linked = assets.get(live.id).computations
        except NotFound:
            return
        if linked:
            raise Conflict(
                f"the asset is linked to the computations {', '.join(linked)}",
                where=f"asset {live.state.file_name or live.id}",
                next_step="Remove it from them, or delete them, first.",
            )
        assets.delete(live.id)
        context.session.snapshot(live.state.workspace).assets.drop(live.id)


def _marked(desired: Asset, context: Context) -> AssetRecord | None:
    return context.session.snapshot(desired.workspace).assets.find(mark_of(desired.identity))


def _with_file(desired: Asset) -> Asset:
    if contains_unknown([desired.file, desired.checksum]):
        return desired
    if desired.file is None:
        if desired.checksum is None:
            raise _finding("checksum", "give a file or its checksum", "Set `file`, or `checksum` (SHA3-256).")
        return desired
    path = Path(desired.file)
    checksum = _checksum(path)
    if desired.checksum is not None and desired.checksum != checksum:
        raise _mismatch(path, desired.checksum, checksum)
    return desired.with_(checksum=checksum, file_name=desired.file_name or path.name)


def _with_source(desired: Asset) -> Asset:
    source = desired.source
    if not isinstance(source, RemoteSource) or contains_unknown([source.url, desired.asset_type]):
        return desired
    if desired.file_name is None:
        desired = desired.with_(file_name=name_of_source(source.url))
    try:
        require_fitting_source(AssetKind(desired.asset_type), source, file_name=desired.file_name)
    except Refusal as refusal:
        raise _finding(
            ".".join(filter(None, ("source", refusal.field))), refusal.message, refusal.fix
        ) from None
    return desired


def _checksum(path: Path) -> str:
    try:
        return sha3_256_of_path(path).hex()
    except OSError as error:
        raise _finding(
            "file", f"cannot read {path}: {error.strerror}", "Give the path of a file or folder."
        ) from error


def _mismatch(path: Path, given: str, actual: str) -> InvalidInput:
    if path.is_file():
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 == given:
            return _finding(
                "checksum",
                f"is the SHA-256 of {path}; Prism compares SHA3-256",
                f"Write {actual}, or leave it out.",
            )
    return _finding(
        "checksum", f"does not match {path}, whose SHA3-256 is {actual}", "Correct it, or leave it out."
    )


def _finding(path: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput([Finding(path=path, message=message, fix=fix)])


def _content(desired: Asset, *, had_source: bool = False) -> AssetContent:
    from prism_iac.prism import AssetContent

    return AssetContent(
        asset_type=AssetKind(desired.asset_type),
        description=marked(desired.description, desired.identity),
        checksum=desired.checksum or "",
        file_name=desired.file_name or "",
        mime_type=desired.mime_type or "",
        sample=Path(desired.sample_file).read_bytes() if desired.sample_file else None,
        source=desired.source,
        removes_source=had_source and desired.source is None,
    )


def _has_its_sample(record: AssetRecord, state: Asset, context: Context) -> bool:
    """Whether Prism shows the bytes of the sample's file; a file that cannot be read here says nothing."""
    if state.sample_file is None:
        return True
    try:
        wanted = Path(state.sample_file).read_bytes()
    except OSError:
        return True
    # Lists come without samples.
    sample = record.sample or context.session.workspace(state.workspace).assets.get(record.id).sample
    return sample == wanted


def _actual(record: AssetRecord, state: Asset, context: Context) -> Asset:
    owner = context.session.find_user(state.provider) if state.provider else context.session.platform_user
    provider = (
        state.provider if owner and owner.id == record.user_id else context.session.name_of(record.user_id)
    )
    return state.with_(
        asset_type=record.asset_type,
        provider=provider,
        description=words_of(record.description),
        checksum=record.checksum or None,
        file_name=record.file_name or None,
        source=record.source,
        mime_type=record.mime_type or None,
        computations=record.computations,
    )
