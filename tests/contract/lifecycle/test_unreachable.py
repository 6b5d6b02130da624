"""A backend that does not answer as it should is never read as one that forgot the resource."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from prism_iac.errors import PrismError
from prism_iac.lifecycle import Live
from prism_iac.prism import Limits, PrismClient
from tests.contract.lifecycle.stage import ADA, Stage

PAGE: Final = "<html>Maintenance</html>"


def time_out(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


BROKEN: Final[dict[str, Callable[[httpx.Request], httpx.Response]]] = {
    "401": lambda _: httpx.Response(401, json={"error": "the token has ended"}),
    "403": lambda _: httpx.Response(403, json={"error": "this takes membership"}),
    "500": lambda _: httpx.Response(500, json={"error": "defect"}),
    "a page": lambda _: httpx.Response(200, html=PAGE),
    "a page that says 404": lambda _: httpx.Response(404, html=PAGE),
    "nothing": lambda _: httpx.Response(200),
    "a timeout": time_out,
}


@pytest.fixture
def resources(stage: Stage, numbers: Path) -> dict[str, Live[Any]]:
    computation = stage.computation(result_consumers=[ADA])
    return {"Computation": computation, "Asset": stage.dataset(numbers)}


@pytest.mark.fault(30)
@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_asked_for_is_not_gone(
    stage: Stage, resources: dict[str, Live[Any]], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = httpx.HTTPTransport.handle_request
    ids = {live.id for live in resources.values()}

    def broken(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if any(id_ in request.url.path for id_ in ids):
            answer = BROKEN[how](request)
            answer.request = request
            return answer
        return really(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", broken)
    # Calls are repeated for a minute; here they give up at once.
    defaults = PrismClient.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "limits", Limits(total_seconds=0.5))
    for live in resources.values():
        with pytest.raises(PrismError):
            stage.read(live)
    monkeypatch.undo()
    assert all(stage.read(live) is not None for live in resources.values())
