"""Grants, keys, runs and VMs that cannot be asked for are not gone, and those that are gone are."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest

from prism_iac.errors import PrismError
from prism_iac.lifecycle import Live
from prism_iac.lifecycle.handlers._bundle_prism import REVOKED
from prism_iac.prism import Limits, PrismClient
from tests.contract.lifecycle.stage import ADA, EVE, Stage
from tests.contract.lifecycle.test_unreachable import BROKEN


@pytest.fixture
def resources(stage: Stage, runnable: Live[Any], vm: Live[Any]) -> dict[str, Live[Any]]:
    grant = stage.create("Participant", "eve", computation=runnable.id, user=EVE, actions=["edit"])
    key = stage.create(
        "PublicKey", "ada", computation=runnable.id, user=ADA, key=stage.keys[ADA].public_pem.decode()
    )
    run = stage.create(
        "ComputationRun", "run", computation=runnable.id, vm=vm.id, wait=False, stop_on_delete=True
    )
    stage.delete(run)
    bundle = stage.create("CertificateBundle", "tls", source="prism", vm=vm.id, mode="tls")
    return {
        "Participant": grant,
        "PublicKey": key,
        "ComputationRun": run,
        "ConfidentialVM": vm,
        "CertificateBundle": bundle,
    }


@pytest.mark.fault(30)
def test_what_cannot_be_asked_for_is_not_gone(
    stage: Stage, resources: dict[str, Live[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = httpx.HTTPTransport.handle_request
    # Calls are repeated for a minute; here they give up at once.
    defaults = PrismClient.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "limits", Limits(total_seconds=0.3))
    answered = []
    for how, answer in BROKEN.items():

        def broken(transport: httpx.HTTPTransport, request: httpx.Request, answer: Any = answer) -> Any:
            if any(part in request.url.path for part in ("/cvms", "/computations/", "/certs")):
                response = answer(request)
                response.request = request
                return response
            return really(transport, request)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", broken)
        for kind, live in resources.items():
            with suppress(PrismError):
                answered.append((kind, how, stage.read(live)))
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", really)
    monkeypatch.undo()
    assert answered == []
    assert all(stage.read(live) is not None for live in resources.values())


@pytest.mark.fault(26)
def test_what_is_gone_is_gone(stage: Stage, resources: dict[str, Live[Any]]) -> None:
    vm, bundle = resources.pop("ConfidentialVM"), resources.pop("CertificateBundle")
    stage.workspace.cvms.delete(vm.id)
    assert stage.workspace.cvms.get(vm.id).status == "inactive"
    assert stage.read(vm) is None
    # Its certificates are known to Prism still: they were revoked with it.
    revoked = stage.read(bundle)
    assert revoked is not None
    assert revoked.state.standing == REVOKED
    stage.workspace.computations.delete(resources["PublicKey"].state.computation)
    assert [kind for kind, live in resources.items() if stage.read(live) is not None] == []
