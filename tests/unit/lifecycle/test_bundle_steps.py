"""When a certificate bundle moves on, and to what: every boundary, on a test clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Live, Session, Settings, check, diff
from prism_iac.lifecycle.handlers._bundle_steps import CLOCK_SKEW, renewal_begins
from prism_iac.model.resources import CertificateBundle
from prism_iac.pki import load_certificates, load_private_key, public_key_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HANDLER = HANDLERS["CertificateBundle"]
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Stack:
    """A bundle as an engine treats it: a plan from state and inputs, then the update that it shows."""

    def __init__(self, folder: Path, **inputs: Any) -> None:
        self.now = NOW
        self.said: list[str] = []
        self._session = Session(Settings(endpoint=EMBEDDED, data=folder))
        self.wanted: dict[str, Any] = {"key": {"algorithm": "ecdsa"}, **inputs}
        self.live = HANDLER.create(HANDLER.model.parse(self.inputs), self._context)

    @property
    def _context(self) -> Context:
        return Context(
            name="tls",
            identity="9c41d2e7f0a3.0",
            session=self._session,
            default_workspace=None,
            now=lambda: self.now,
            pause=lambda _: None,
            report=self.said.append,
        )

    @property
    def inputs(self) -> dict[str, Any]:
        return check(HANDLER, self.wanted, self._context)

    @property
    def state(self) -> CertificateBundle:
        assert isinstance(self.live.state, CertificateBundle)
        return self.live.state

    def plan(self, now: datetime) -> str | tuple[str, ...] | None:
        """Why time asks for an update, or which inputs do."""
        self.now = now
        found = diff(HANDLER, self.state.properties(), self.inputs, self._context)
        return found.changed or found.due

    def up(self, now: datetime, **changes: Any) -> CertificateBundle:
        """Update where the plan says so, from what a state file would give back."""
        self.wanted |= changes
        if self.plan(now):
            live: Live[Any] = Live(self.live.id, HANDLER.model.parse(self.state.properties()))
            self.live = HANDLER.update(live, HANDLER.model.parse(self.inputs), self._context)
        return self.state


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Stack]:
    return lambda **inputs: Stack(tmp_path, **{"validity": "90d", "renew_before": "30d", **inputs})


def cas(bundle: CertificateBundle) -> list[Any]:
    """The public keys of the trusted CAs, in order."""
    assert bundle.ca_certificate is not None
    return [public_key_of(item) for item in load_certificates(bundle.ca_certificate.encode())]


def end_of(bundle: CertificateBundle) -> datetime:
    assert bundle.not_after is not None
    return datetime.fromisoformat(bundle.not_after)


def moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


class TestRenewal:
    @pytest.mark.fault(45)
    def test_is_planned_from_the_first_second_of_the_window(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        assert bundle.plan(NOW + 60 * DAY - SECOND) is None
        assert bundle.plan(NOW + 60 * DAY) == "renews: 30 days left, until 2026-04-01"

    @pytest.mark.parametrize(
        ("left", "told"),
        [
            (12 * DAY + SECOND, "12 days left, until"),
            (DAY, "1 day left, until"),
            (DAY - SECOND, "23 hours left, until"),
            (SECOND, "less than a minute left, until"),
            (timedelta(0), "ended on"),
            (-400 * DAY, "ended on"),
        ],
    )
    def test_says_how_much_is_left(self, stack: Callable[..., Stack], left: timedelta, told: str) -> None:
        bundle = stack()
        assert bundle.plan(end_of(bundle.state) - left) == f"renews: {told} 2026-04-01"

    def test_leaves_nothing_to_plan(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        old = bundle.state
        new = bundle.up(NOW + 70 * DAY)
        assert end_of(new) == NOW + 160 * DAY
        assert new.server_key != old.server_key
        assert new.client_key != old.client_key
        assert bundle.plan(NOW + 70 * DAY) is None

    def test_keeps_the_keys_by_choice(self, stack: Callable[..., Stack]) -> None:
        bundle = stack(keys_on_renewal="reuse")
        old = bundle.state
        new = bundle.up(NOW + 70 * DAY)
        assert end_of(new) == NOW + 160 * DAY
        assert (new.ca_key, new.server_key, new.client_key) == (old.ca_key, old.server_key, old.client_key)
        assert new.server_certificate != old.server_certificate
        assert new.next_ca_key is None

    def test_keeps_no_key_of_another_kind(self, stack: Callable[..., Stack]) -> None:
        bundle = stack(keys_on_renewal="reuse")
        new = bundle.up(NOW + DAY, key={"algorithm": "ecdsa", "size": 384})
        assert new.server_key is not None
        assert getattr(load_private_key(new.server_key.encode()), "key_size", None) == 384

    @pytest.mark.fault(46)
    def test_goes_by_the_life_that_was_issued_not_by_the_one_that_was_wished(
        self, stack: Callable[..., Stack]
    ) -> None:
        bundle = stack()
        clamped = bundle.state.with_(not_after=(NOW + 45 * DAY).isoformat())
        assert renewal_begins(clamped) == NOW + 15 * DAY

    @pytest.mark.fault(46)
    @pytest.mark.parametrize("issued_days", [30, 20, 1])
    def test_never_begins_at_once_where_the_issuer_gave_less_than_the_window(
        self, stack: Callable[..., Stack], issued_days: int
    ) -> None:
        bundle = stack()
        clamped = bundle.state.with_(not_after=(NOW + issued_days * DAY).isoformat())
        begins = renewal_begins(clamped)
        assert begins is not None
        assert NOW + issued_days * DAY / 2 < begins < NOW + issued_days * DAY

    @pytest.mark.fault(45)
    @pytest.mark.parametrize(("validity", "window"), [("30d", "30d"), ("30d", "31d"), ("0s", "0s")])
    def test_with_a_window_that_never_ends_is_refused(
        self, stack: Callable[..., Stack], validity: str, window: str
    ) -> None:
        with pytest.raises(InvalidInput, match="is not shorter than validity"):
            stack(validity=validity, renew_before=window)

    @pytest.mark.fault(45)
    def test_without_a_window_happens_when_the_certificates_have_ended(
        self, stack: Callable[..., Stack]
    ) -> None:
        bundle = stack(renew_before="0s")
        assert bundle.plan(NOW + 90 * DAY - SECOND) is None
        assert bundle.plan(NOW + 90 * DAY) == "renews: ended on 2026-04-01"

    @pytest.mark.parametrize("mode", ["none", "atls"])
    def test_is_nothing_for_a_mode_without_certificates(self, stack: Callable[..., Stack], mode: str) -> None:
        assert stack(mode=mode).plan(NOW + 9999 * DAY) is None

    @pytest.mark.parametrize(
        "asked", [{"intermediate": True}, {"clients": ["ada"]}, {"permitted": {"dns_names": ["example.org"]}}]
    )
    @pytest.mark.parametrize("mode", ["none", "atls"])
    def test_is_nothing_either_where_more_is_asked_for_than_the_mode_has(
        self, stack: Callable[..., Stack], mode: str, asked: dict[str, Any]
    ) -> None:
        bundle = stack(mode=mode, **asked)
        assert bundle.state.ca_certificate is None
        assert bundle.plan(NOW + 9999 * DAY) is None

    def test_ends_with_a_mode_that_has_no_certificates(self, stack: Callable[..., Stack]) -> None:
        bundle = stack(mode="mtls", intermediate=True)
        assert bundle.up(NOW + DAY, mode="atls").ca_certificate is None


class TestAnotherWindow:
    @pytest.mark.fault(50)
    @pytest.mark.parametrize("change", [{"renew_before": "20d"}, {"keys_on_renewal": "reuse"}])
    def test_alone_makes_nothing(self, stack: Callable[..., Stack], change: dict[str, str]) -> None:
        bundle = stack()
        old = bundle.state
        new = bundle.up(NOW + DAY, **change)
        assert new == old.with_(**change)

    @pytest.mark.fault(50)
    def test_that_has_begun_makes_nothing_either_until_the_next_update(
        self, stack: Callable[..., Stack]
    ) -> None:
        bundle = stack()
        old = bundle.state
        assert bundle.up(NOW + 50 * DAY, renew_before="60d").server_certificate == old.server_certificate
        assert bundle.plan(NOW + 50 * DAY) == "renews: 40 days left, until 2026-04-01"

    def test_that_has_not_begun_puts_a_renewal_off(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        old = bundle.state
        assert bundle.up(NOW + 70 * DAY, renew_before="10d").server_certificate == old.server_certificate
        assert bundle.plan(NOW + 70 * DAY) is None


class TestClocks:
    @pytest.mark.fault(44)
    def test_a_clock_that_is_a_little_behind_changes_nothing(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        begin = moment(bundle.state.not_before)
        assert begin == NOW - CLOCK_SKEW
        assert bundle.plan(begin - CLOCK_SKEW) is None

    @pytest.mark.fault(44, 45)
    def test_what_a_clock_made_that_was_far_ahead_is_made_again(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        before = NOW - 400 * DAY
        trusted = cas(bundle.state)
        assert "not valid before 2025-12-31" in str(bundle.plan(before))
        made_again = bundle.up(before)
        assert moment(made_again.not_before) <= before
        assert bundle.plan(before) is None
        assert cas(made_again) == trusted

    @pytest.mark.fault(44)
    @pytest.mark.parametrize("year", [2037, 2038, 2049, 2050])
    def test_no_year_is_special(self, stack: Callable[..., Stack], year: int) -> None:
        bundle = stack()
        new = bundle.up(datetime(year, 1, 19, 3, 14, 7, tzinfo=UTC))
        assert end_of(new) == datetime(year, 1, 19, 3, 14, 7, tzinfo=UTC) + 90 * DAY

    def test_the_last_year_shortens_a_life_and_makes_no_loop(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        late = datetime(9999, 12, 20, tzinfo=UTC)
        assert end_of(bundle.up(late)).year == 9999
        assert bundle.plan(late) is None


class TestChangeOfTheCa:
    def test_is_announced_by_a_renewal(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        (old,) = cas(bundle.state)
        new = bundle.up(NOW + 70 * DAY)
        first, following = cas(new)
        assert first == old
        assert following != old
        assert moment(new.next_ca_on) == NOW + 90 * DAY + CLOCK_SKEW
        assert bundle.said[-1].startswith("another CA is announced: it signs from 2026-04-01 on")

    @pytest.mark.fault(49)
    def test_comes_when_nothing_older_than_the_announcement_is_valid(
        self, stack: Callable[..., Stack]
    ) -> None:
        bundle = stack()
        announced = bundle.up(NOW + 70 * DAY)
        change = moment(announced.next_ca_on)
        assert bundle.plan(change - SECOND) is None
        assert str(bundle.plan(change)).startswith("changes the CA: ")
        changed = bundle.up(change)
        assert cas(changed) == cas(announced)[::-1]
        assert changed.ca_key == announced.next_ca_key
        assert changed.next_ca_key is None
        assert end_of(changed) == change + 90 * DAY
        assert bundle.plan(change) is None

    def test_ends_with_the_retirement_of_the_old_one(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        bundle.up(NOW + 60 * DAY)
        changed = bundle.up(NOW + 90 * DAY + CLOCK_SKEW)
        # A longer wait than its own certificates allow would renew it first.
        kept = changed.with_(not_after=(NOW + 365 * DAY).isoformat())
        bundle.live = Live(bundle.live.id, kept)
        retire = moment(kept.old_ca_until)
        assert retire == NOW + 150 * DAY + CLOCK_SKEW
        assert bundle.plan(retire - SECOND) is None
        assert str(bundle.plan(retire)).startswith("retires the old CA")
        retired = bundle.up(retire)
        assert cas(retired) == cas(changed)[:1]
        assert retired.server_certificate == changed.server_certificate
        assert bundle.plan(retire) is None

    def test_waits_for_certificates_of_a_time_when_lives_were_longer(
        self, stack: Callable[..., Stack]
    ) -> None:
        bundle = stack(validity="365d")
        first = bundle.state
        bundle.up(NOW + DAY, validity="40d")
        announced = bundle.up(NOW + 12 * DAY)
        assert moment(announced.next_ca_on) > end_of(first)

    def test_of_a_bundle_that_has_ended_needs_no_announcement(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        (old,) = cas(bundle.state)
        (new,) = cas(bundle.up(NOW + 91 * DAY))
        assert new != old

    @pytest.mark.parametrize(
        "change",
        [
            {"common_name": "other"},
            {"subject": {"organization": "O"}},
            {"key": {"algorithm": "ecdsa", "size": 384}},
        ],
    )
    def test_follows_from_another_name_or_key_after_the_window(
        self, stack: Callable[..., Stack], change: dict[str, Any]
    ) -> None:
        bundle = stack()
        (old,) = cas(bundle.state)
        announced = bundle.up(NOW + DAY, **change)
        assert cas(announced)[0] == old
        assert moment(announced.next_ca_on) == NOW + 31 * DAY
        assert bundle.plan(NOW + DAY) is None
        changed = bundle.up(NOW + 31 * DAY)
        assert cas(changed) == [cas(announced)[1], old]

    def test_is_announced_anew_when_the_name_changes_once_more(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        first = bundle.up(NOW + DAY, common_name="first")
        second = bundle.up(NOW + 2 * DAY, common_name="second")
        assert cas(second)[0] == cas(first)[0]
        assert cas(second)[1] != cas(first)[1]
        assert moment(second.next_ca_on) == NOW + 32 * DAY

    def test_other_addresses_do_not_ask_for(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        old = bundle.state
        new = bundle.up(NOW + DAY, dns_names=["agent.example.com"])
        assert cas(new) == cas(old)
        assert new.server_certificate != old.server_certificate

    @pytest.mark.fault(51)
    def test_is_the_same_when_a_step_was_cut_off(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        before = bundle.live
        bundle.up(NOW + 70 * DAY)
        bundle.live = before
        assert cas(bundle.up(NOW + 70 * DAY))[0] == cas(before.state)[0]

    def test_begins_from_a_state_of_an_earlier_release(self, stack: Callable[..., Stack]) -> None:
        bundle = stack()
        old = {
            name: value
            for name, value in bundle.state.properties().items()
            if name not in ("next_ca_key", "next_ca_on", "old_ca_until", "keys_on_renewal")
        }
        bundle.live = Live(bundle.live.id, CertificateBundle.parse(old))
        assert bundle.plan(NOW) is None
        assert len(cas(bundle.up(NOW + 70 * DAY))) == 2


def test_a_preview_of_no_change_reads_no_key(
    stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = stack()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a key or certificate was read")

    for name in ("load_private_key", "load_certificates"):
        monkeypatch.setattr(f"prism_iac.pki.{name}", refuse)
    assert bundle.plan(NOW + DAY) is None
    assert bundle.plan(NOW + 70 * DAY)
