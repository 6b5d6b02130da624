"""No order of renewals, changes, kills and waits leaves a client outside that did what the plan said.

Clients hold the files that they fetched at some time, agents those that their run began with. Whatever both
did since: while the certificates of both are valid, they connect. A new CA that a change of inputs asked for is
the one thing that they have to act on: whoever has not fetched its announcement in time is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Live, Session, Settings, check, diff
from prism_iac.model.resources import CertificateBundle
from tests.contract.lifecycle.handshake import Refused, shake_hands

HANDLER = HANDLERS["CertificateBundle"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SKEW = timedelta(minutes=10)
SECOND = timedelta(seconds=1)

WAITS = st.one_of(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=120)),
    st.sampled_from([SECOND, SKEW, timedelta(hours=1), timedelta(days=1)]),
)
CHANGES = st.one_of(
    st.fixed_dictionaries({"common_name": st.sampled_from(["one", "two", "three"])}),
    st.fixed_dictionaries({"key": st.sampled_from([{"algorithm": "ecdsa", "size": n} for n in (256, 384)])}),
    st.fixed_dictionaries({"validity": st.sampled_from(["30d", "90d", "365d"])}),
    st.fixed_dictionaries({"renew_before": st.sampled_from(["0s", "1d", "20d"])}),
    st.fixed_dictionaries({"keys_on_renewal": st.sampled_from(["rotate", "reuse"])}),
    st.fixed_dictionaries({"ip_addresses": st.sampled_from([[], ["127.0.0.1"]])}),
)
OFFSETS = [-timedelta(days=10), -timedelta(days=1), -SKEW, -SECOND, timedelta(0), SECOND, SKEW]
OF_THE_CA = {"common_name", "key"}


@dataclass(frozen=True)
class Files:
    """What was fetched or begun with, and as which of the states of the bundle."""

    number: int
    bundle: CertificateBundle

    def are_valid(self, now: datetime) -> bool:
        begin, end = self.bundle.not_before, self.bundle.not_after
        assert begin is not None
        assert end is not None
        return datetime.fromisoformat(begin) <= now < datetime.fromisoformat(end)


class BundleLife(RuleBasedStateMachine):
    """A stack, its agents and its clients, in a world whose clocks differ by at most ten minutes."""

    mode = "mtls"

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.session = Session(Settings(endpoint=EMBEDDED, data=Path(self.folder.name)))
        self.now = NOW
        self.skew = timedelta(0)
        self.wanted: dict[str, Any] = {
            "mode": self.mode,
            "key": {"algorithm": "ecdsa"},
            "validity": "90d",
            "renew_before": "20d",
        }
        self.live = HANDLER.create(HANDLER.model.parse(self.inputs), self.context)
        self.number = 0
        self.deadlines: list[tuple[int, datetime]] = []
        first = Files(0, self.live.state)
        self.configuration = first
        self.agents = [first]
        self.clients = [first, first]

    def teardown(self) -> None:
        self.session.close()
        self.folder.cleanup()

    @property
    def context(self) -> Context:
        return Context(
            name="tls",
            identity="9c41d2e7f0a3.0",
            session=self.session,
            default_workspace=None,
            now=lambda: self.now + self.skew,
            pause=lambda _: None,
            report=lambda _: None,
        )

    @property
    def inputs(self) -> dict[str, Any]:
        return check(HANDLER, self.wanted, self.context)

    @property
    def is_planned(self) -> bool:
        return bool(diff(HANDLER, self.live.state.properties(), self.inputs, self.context))

    @rule(wait=WAITS)
    def time_passes(self, wait: timedelta) -> None:
        self.now += wait

    @rule(
        what=st.sampled_from(["not_after", "next_ca_on", "old_ca_until"]),
        off=st.sampled_from(OFFSETS),
    )
    def a_boundary_comes(self, what: str, off: timedelta) -> None:
        moment = getattr(self.live.state, what)
        if moment is not None:
            self.now = max(self.now, datetime.fromisoformat(moment) + off)

    @rule(skew=st.sampled_from([-SKEW, timedelta(0), SKEW]))
    def the_next_update_runs_on_another_machine(self, skew: timedelta) -> None:
        self.skew = skew

    @rule(change=CHANGES)
    def somebody_edits_the_inputs(self, change: dict[str, Any]) -> None:
        self.wanted |= change

    @rule()
    def a_refresh(self) -> None:
        seen = HANDLER.read(self.parsed, self.context)
        assert seen is not None
        self.live = seen

    @rule()
    def an_update(self) -> None:
        self.update()
        self.configuration = Files(self.number, self.live.state)
        assert not self.is_planned, "the next preview is not empty"

    @precondition(lambda self: self.is_planned)
    @rule()
    def an_update_that_is_killed_before_its_bundle_is_recorded(self) -> None:
        HANDLER.update(self.parsed, HANDLER.model.parse(self.inputs), self.context)

    @rule()
    def an_update_that_is_killed_before_the_computation(self) -> None:
        self.update()

    @rule()
    def a_run_begins(self) -> None:
        self.agents = [*self.agents[-1:], self.configuration]

    @rule(client=st.integers(0, 1))
    def a_client_fetches_its_files(self, client: int) -> None:
        self.clients[client] = Files(self.number, self.live.state)

    @invariant()
    def whoever_did_what_the_plan_said_connects(self) -> None:
        agents = [
            files for files in {item.number: item for item in self.agents}.values() if self.looks_at(files)
        ]
        clients = [
            files for files in {item.number: item for item in self.clients}.values() if self.looks_at(files)
        ]
        for agent in agents:
            for client in clients:
                try:
                    shake_hands(agent.bundle, client.bundle, now=self.now)
                except Refused as refusal:
                    raise AssertionError(
                        f"files {client.number} do not connect to an agent of files {agent.number}: {refusal}"
                    ) from refusal

    @property
    def parsed(self) -> Live[Any]:
        return Live(self.live.id, HANDLER.model.parse(self.live.state.properties()))

    def update(self) -> None:
        if not self.is_planned:
            return
        before = self.live.state
        desired = HANDLER.model.parse(self.inputs)
        self.live = HANDLER.update(self.parsed, desired, self.context)
        self.number += 1
        if any(getattr(before, name) != getattr(desired, name) for name in OF_THE_CA):
            until = self.live.state.next_ca_on
            deadline = datetime.fromisoformat(until) if until else self.now
            self.deadlines.append((self.number, deadline - SKEW))

    def looks_at(self, files: Files) -> bool:
        is_late = any(files.number < number and deadline <= self.now for number, deadline in self.deadlines)
        return files.are_valid(self.now) and not is_late


class BundleLifeWithoutClientCertificates(BundleLife):
    """The same for TLS, where the client has nothing but what it trusts."""

    mode = "tls"


@pytest.fixture(params=[BundleLife, BundleLifeWithoutClientCertificates], ids=["mtls", "tls"])
def machine(request: pytest.FixtureRequest) -> type[BundleLife]:
    kind: type[BundleLife] = request.param
    return kind


@pytest.mark.fault(49, 51)
def test_nobody_who_did_what_the_plan_said_is_cut_off(machine: type[BundleLife]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
