"""Faults of a network: a step goes through, or one clear error leaves it to be taken again."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

from prism_iac.errors import PrismError
from prism_iac.prism import Limits, PrismClient, Unavailable, find_embedded
from prism_iac.testing.faults import Fault, FaultProxy, Rule, storm
from tests.contract.lifecycle.stage import Stage
from tests.faults.network import QUICK, REFUSED, meet
from tests.faults.scenarios import SCENARIOS, alive

(CREATE,) = (item for item in SCENARIOS if (item.kind, item.step) == ("Computation", "create"))


@pytest.mark.fault(1, 2, 3, 41)
@pytest.mark.parametrize("calls", ["GET .*/computations$", "POST .*/computations$"])
@pytest.mark.parametrize("fault", QUICK)
def test_a_create_goes_through_or_one_error_names_what_it_met(data: Path, fault: Fault, calls: str) -> None:
    met = meet(data, CREATE, fault, lambda _, call: re.search(calls, call) is not None)
    # The id of what is created comes in a header as well.
    is_readable = fault is Fault.DUPLICATE_KEYS and calls.startswith("POST")
    assert (met.error is not None) is (fault in REFUSED and not is_readable), met


@pytest.mark.fault(41)
@pytest.mark.parametrize("fault", [Fault.SLOW_LORIS, Fault.SLOW_BODY])
def test_a_reply_that_drips_ends_with_the_deadline_and_the_next_try_goes_through(
    data: Path, fault: Fault
) -> None:
    with FaultProxy.before_embedded(data, [Rule(fault, "POST .*/computations$", times=2)]) as proxy:
        embedded = find_embedded(data)
        assert embedded is not None
        with embedded:
            domain = embedded.accounts.ensure_workspace(f"w-{uuid4().hex[:8]}")
            limits = Limits(reply_seconds=0.5, total_seconds=0.9)
            with PrismClient(embedded.endpoint, embedded.accounts.admin, limits=limits) as client:
                computations = client.workspace(domain.id).computations
                key = uuid4().hex
                with pytest.raises(Unavailable, match="no whole reply came in time"):
                    computations.create(name="sum", description="adds", idempotency_key=key)
                proxy.rules = ()
                made = computations.create(name="sum", description="adds", idempotency_key=key)
                assert [item.id for item in computations.list()] == [made]
    assert fault in proxy.struck


@pytest.mark.fault(41)
@pytest.mark.parametrize("seed", range(4))
def test_a_storm_of_passing_faults_is_ridden_out(data: Path, seed: int) -> None:
    stage = Stage(data, f"w-{uuid4().hex[:8]}")
    _ = stage.workspace  # made before the faults
    stage.session.close()
    faults = (Fault.LOST, Fault.BAD_GATEWAY, Fault.RESET)
    with FaultProxy.before_embedded(data, strike=storm(seed=seed, share=0.3, faults=faults)):
        for _ in range(20):
            stage.begin_deployment()
            try:
                made = stage.computation().id
            except PrismError:
                continue
            break
        else:
            pytest.fail("it never came through")
    stage.begin_deployment()
    assert alive(stage) == [made]
    stage.session.close()
