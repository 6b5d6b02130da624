"""What participants bring to a computation and see of it (prism-rest.md section 2.3: C10 to C12, C14)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter

from prism_iac.backend._definitions import advice, load_definition, missing_items
from prism_iac.backend._errors import NotRunnable
from prism_iac.backend._guard import serves
from prism_iac.backend._runs import why_not_ready
from prism_iac.backend._scope import ComputationScope
from prism_iac.backend.records.computations import DryRun, KeyBody, KeyCheck
from prism_iac.backend.store import assets, cvms, keys, runs

__all__ = ["router"]

router = APIRouter(prefix="/computations/{domain_id}/computations/{computation_id}", tags=["participants"])


@serves(router, "POST", "/key")
def upload_key(scope: ComputationScope, body: KeyBody) -> None:
    """Register the caller's public key for a computation, in place of an earlier one (D22)."""
    from prism_iac.pki import parse_public_key

    keys.put(
        scope.session,
        computation_id=scope.computation.id,
        user_id=scope.caller.id,
        der=parse_public_key(body.key),
        now=scope.now,
    )


@serves(router, "GET", "/key")
def check_key(scope: ComputationScope) -> KeyCheck:
    """Whether the caller's public key is registered (D23)."""
    found = keys.of_computations(scope.session, [scope.computation.id])
    return KeyCheck(uploaded=scope.caller.id in found[scope.computation.id])


@serves(router, "POST", "/dryrun", writes=False)
def dry_run(scope: ComputationScope) -> DryRun:
    """What a run would lack; changes nothing (D21)."""
    definition = load_definition(scope.session, scope.computation)
    owned = assets.owned_by(scope.session, scope.workspace.id, definition.providers())
    missing = missing_items(definition, owned)
    missing.info += advice(definition, some_cvm_is_ready=_some_cvm_is_ready(scope))
    return DryRun(missing_items=missing)


def _some_cvm_is_ready(scope: ComputationScope) -> bool:
    busy = runs.busy_cvms(scope.session, scope.workspace.id)
    return any(
        not why_not_ready(cvm, is_busy=cvm.id in busy)
        for cvm in cvms.present(scope.session, scope.workspace.id)
    )


@serves(router, "GET", "/manifest", errors=(NotRunnable,))
def get_manifest(scope: ComputationScope) -> dict[str, Any]:
    """The manifest of the run that goes on or, without one, of the run that would start now."""
    run = runs.active_of_computation(scope.session, scope.computation.id)
    if run is not None:
        running: dict[str, Any] = json.loads(runs.manifest_of(scope.session, run))
        return running
    definition = load_definition(scope.session, scope.computation)
    manifest = definition.manifest()
    if manifest is None:
        raise NotRunnable(
            "there is no manifest without an algorithm",
            missing_items=missing_items(definition, []).model_dump(),
            next_step="Link an algorithm.",
        )
    return manifest.to_json()
