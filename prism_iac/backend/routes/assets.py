"""Assets and their links to computations (prism-rest.md section 2.4, D30, D31)."""

from __future__ import annotations

from fastapi import APIRouter

from prism_iac.backend._errors import Clash, Malformed, Missing, TooLarge
from prism_iac.backend._guard import serves
from prism_iac.backend._scope import AssetScope, LinkScope, WorkspaceScope
from prism_iac.backend.records.assets import (
    AssetBody,
    AssetPage,
    AssetRecord,
    WrappedAsset,
    asset_item,
    asset_record,
)
from prism_iac.backend.records.computations import ComputationPage, computation_item
from prism_iac.backend.routes.parameters import PageSlice
from prism_iac.backend.store import assets, computations, idempotency, runs
from prism_iac.backend.store.assets import Asset, NewAsset
from prism_iac.model import AssetKind, Refusal, RemoteSource, require_fitting_source, sha3_256

__all__ = ["LARGEST_SAMPLE_BYTES", "router"]

router = APIRouter(prefix="/computations/{domain_id}/assets", tags=["assets"])

LARGEST_SAMPLE_BYTES = 10 * 1024 * 1024


def _find(scope: WorkspaceScope, asset_id: str) -> AssetRecord:
    asset = assets.find(scope.session, scope.workspace.id, asset_id)
    assert asset is not None, "an idempotency key goes with its record"
    return _record(scope, asset)


@serves(router, "POST", "", status=201, errors=(TooLarge,), location="/assets/{id}", replay=_find)
def create_asset(scope: WorkspaceScope, body: WrappedAsset | AssetBody) -> AssetRecord:
    """Record an algorithm or a dataset of the caller's."""
    given = _unwrapped(body)
    sample = _sample(given)
    if given.checksum is None and not sample:
        raise Malformed(
            "asset.checksum is missing",
            next_step="Give the SHA3-256 of the file, or a sample to take it from.",
        )
    new = NewAsset(
        description=given.description,
        asset_type=given.asset_type,
        checksum=given.checksum or sha3_256(sample).hex(),
        file_name=given.file_name or "",
        mime_type=given.mime_type or "",
        user_key=given.user_key or "",
        sample=sample,
        source=_fitting(given.source, given.asset_type, given.file_name),
    )
    asset = assets.add(
        scope.session, new, workspace_id=scope.workspace.id, user_id=scope.caller.id, now=scope.now
    )
    return _record(scope, asset)


@serves(router, "GET", "")
def list_assets(scope: WorkspaceScope, wanted: PageSlice) -> AssetPage:
    """List the assets, newest first, without their samples."""
    page = assets.page(scope.session, scope.workspace.id, wanted)
    linked = assets.computations_of(scope.session, [asset.id for asset in page.rows])
    items = [asset_item(asset, linked[asset.id]) for asset in page.rows]
    return AssetPage(assets=items, total=page.total, **wanted._asdict())


@serves(router, "GET", "/{asset_id}")
def get_asset(scope: AssetScope) -> AssetRecord:
    """An asset with its sample."""
    return _record(scope, scope.asset)


@serves(router, "PUT", "/{asset_id}", errors=(Clash, TooLarge))
def update_asset(scope: AssetScope, body: WrappedAsset | AssetBody) -> AssetRecord:
    """Replace what is given; what a manifest says is frozen while a linked computation runs."""
    given = _unwrapped(body)
    wanted = given.model_dump(exclude_none=True, exclude={"asset", "source"})
    if "source" in given.model_fields_set:
        wanted["source"] = given.source
    changed = {name: value for name, value in wanted.items() if getattr(scope.asset, name) != value}
    _fitting(
        wanted.get("source", scope.asset.source), given.asset_type, given.file_name or scope.asset.file_name
    )
    linked = assets.computations_of(scope.session, [scope.asset.id])[scope.asset.id]
    if "asset_type" in changed and linked:
        raise Clash("the asset is linked, so its type is fixed", next_step="Unlink it first.")
    if changed.keys() & {"checksum", "file_name", "source"} and runs.some_active(scope.session, linked):
        raise Clash(
            "a computation that runs uses the asset, so its checksum, file name and source are fixed",
            next_step="Wait for the end of the run, or stop it.",
        )
    for name, value in changed.items():
        setattr(scope.asset, name, value)
    if given.asset is not None:
        scope.asset.sample = _sample(given)
    return _record(scope, scope.asset)


@serves(router, "DELETE", "/{asset_id}", status=204, errors=(Clash,))
def delete_asset(scope: AssetScope) -> None:
    """Delete an asset that is not linked."""
    linked = assets.computations_of(scope.session, [scope.asset.id])[scope.asset.id]
    if linked:
        raise Clash(f"the asset is linked to {linked[0]}", next_step="Unlink it first.")
    idempotency.forget(scope.session, [scope.asset.id])
    assets.remove(scope.session, scope.asset)


@serves(router, "POST", "/{asset_id}/{computation_id}", errors=(Clash,))
def link_asset(scope: LinkScope) -> None:
    """Link an asset to a computation; a repeat changes nothing."""
    computation = computations.lock(scope.session, scope.computation)
    linked = assets.linked_to(scope.session, [computation.id])[computation.id]
    if any(asset.id == scope.asset.id for asset in linked):
        return
    _require_not_running(scope)
    if scope.asset.asset_type == AssetKind.ALGORITHM and any(
        asset.asset_type == AssetKind.ALGORITHM for asset in linked
    ):
        raise Clash("the computation has an algorithm", next_step="Unlink that one first.")
    assets.link(scope.session, scope.asset, computation, now=scope.now)


@serves(router, "PUT", "/{asset_id}/{computation_id}", errors=(Clash,))
def unlink_asset(scope: LinkScope) -> None:
    """Undo a link."""
    computation = computations.lock(scope.session, scope.computation)
    _require_not_running(scope)
    if not assets.unlink(scope.session, scope.asset, computation):
        raise Missing("the asset is not linked to the computation")


@serves(router, "GET", "/{asset_id}/computations")
def list_asset_computations(scope: AssetScope, wanted: PageSlice) -> ComputationPage:
    """List the computations that an asset is linked to, newest first."""
    page = assets.page_of_computations(scope.session, scope.asset, wanted)
    items = [computation_item(row) for row in page.rows]
    return ComputationPage(computations=list(items), total=page.total, **wanted._asdict())


def _require_not_running(scope: LinkScope) -> None:
    if runs.active_of_computation(scope.session, scope.computation.id) is not None:
        raise Clash(
            "the computation runs, so its links are fixed",
            next_step="Wait for the end of the run, or stop it.",
        )


def _unwrapped(body: WrappedAsset | AssetBody) -> AssetBody:
    return body.asset if isinstance(body, WrappedAsset) else body


def _sample(given: AssetBody) -> bytes:
    sample = given.sample() or b""
    if len(sample) > LARGEST_SAMPLE_BYTES:
        raise TooLarge(
            f"the sample has {len(sample)} bytes, {LARGEST_SAMPLE_BYTES} are allowed",
            next_step="Send a smaller sample; the file itself never goes to Prism.",
        )
    return sample


def _fitting(source: RemoteSource | None, kind: AssetKind, file_name: str | None) -> RemoteSource | None:
    if source is not None:
        try:
            require_fitting_source(kind, source, file_name=file_name)
        except Refusal as refusal:
            raise Malformed(f"asset.source: {refusal.message}", next_step=refusal.fix) from refusal
    return source


def _record(scope: WorkspaceScope, asset: Asset) -> AssetRecord:
    linked = assets.computations_of(scope.session, [asset.id])
    return asset_record(asset, linked[asset.id], assets.sample_of(scope.session, asset))
