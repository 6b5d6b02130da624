"""What comes to a stack with time, as a list and as a calendar file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prism_iac.cli.calendar._ics import ics_of
from prism_iac.model.resources import KeySpec
from prism_iac.pki import Authority
from prism_iac.plan import Entry, Event, dates_of_stack, upcoming
from tests.unit.cli.conftest import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:…"}


def resource(kind: str, name: str, **outputs: Any) -> dict[str, Any]:
    return {
        "type": f"pulumi-python:dynamic/prism:{kind}",
        "urn": f"urn:pulumi:dev::p::pulumi-python:dynamic/prism:{kind}::{name}",
        "outputs": outputs,
    }


def leaf(days: int) -> str:
    spec = KeySpec.model_validate({"algorithm": "ecdsa"})
    authority = Authority.create("CA", key=spec, now=NOW, validity=999 * DAY)
    return authority.issue(common_name="a", key=spec, now=NOW, validity=days * DAY).certificate_pem.decode()


def bundle(**more: Any) -> dict[str, Any]:
    return resource(
        "CertificateBundle",
        "tls",
        mode="mtls",
        server_certificate="the bundle's",
        server_key=SECRET,
        ca_key=SECRET,
        validity="90d",
        renew_before="30d",
        not_before=NOW.isoformat(),
        not_after=(NOW + 90 * DAY).isoformat(),
        **more,
    )


def told(*resources: dict[str, Any]) -> list[tuple[timedelta, str, str]]:
    return [(entry.at - NOW, entry.event.value, entry.of) for entry in sorted(dates_of_stack(resources))]


def test_a_bundle_renews_and_expires() -> None:
    assert told(bundle()) == [
        (60 * DAY, "renews", "certificates tls"),
        (90 * DAY, "expires", "certificates tls"),
    ]


def test_a_bundle_tells_when_its_next_ca_signs() -> None:
    assert (70 * DAY, "changes CA", "certificates tls") in told(
        bundle(next_ca_on=(NOW + 70 * DAY).isoformat(), next_ca_key=SECRET)
    )


def test_a_bundle_without_certificates_has_no_dates() -> None:
    assert told(resource("CertificateBundle", "tls", mode="atls", validity="90d", renew_before="30d")) == []


def test_an_agent_has_dates_of_its_own_where_no_bundle_is_behind_it() -> None:
    own = resource("Computation", "own", agent={"cert_file": leaf(40), "server_key": SECRET})
    same = resource("Computation", "same", agent={"cert_file": "the bundle's"})
    none = resource("Computation", "none", agent={"tls": "none"})
    assert told(own, same, none, bundle())[0] == (40 * DAY, "expires", "agent of own")
    assert len(told(own, same, none, bundle())) == 3


def test_a_field_of_a_policy_counts_after_its_last_day_of_warning() -> None:
    policy = resource("AttestationPolicy", "snp", warn={"minimum_tcb": "2026-02-01"})
    assert told(policy) == [(32 * DAY, "counts", "minimum_tcb of policy snp")]


def test_other_resources_have_no_dates() -> None:
    assert told({"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"}) == []


@pytest.mark.parametrize(("off", "is_told"), [(-400 * DAY, True), (89 * DAY, True), (90 * DAY, False)])
def test_what_is_overdue_is_told_and_what_is_far_is_not(off: timedelta, is_told: bool) -> None:  # noqa: FBT001  # a case
    entry = Entry(NOW + off, Event.EXPIRES, "x")
    assert upcoming([entry], now=NOW, days=90) == [entry] * is_told


def unfolded(ics: bytes) -> list[str]:
    assert all(len(line) <= 75 for line in ics.split(b"\r\n"))
    return ics.decode().replace("\r\n ", "").split("\r\n")


def test_a_calendar_file_has_an_event_for_each_date() -> None:
    entries = [
        Entry(NOW, Event.EXPIRES, "agent of a; b, c"),
        Entry(NOW + DAY, Event.RENEWS, "certificates tls"),
    ]
    lines = unfolded(ics_of(entries, now=NOW))
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert [line for line in lines if line.startswith(("DTSTART", "SUMMARY"))] == [
        "DTSTART:20260101T000000Z",
        "SUMMARY:agent of a\\; b\\, c expires",
        "DTSTART:20260102T000000Z",
        "SUMMARY:certificates tls renews",
    ]


def test_a_date_keeps_its_uid_whenever_the_file_is_made() -> None:
    entry = Entry(NOW, Event.RENEWS, "certificates tls")
    first, second = (
        [line for line in unfolded(ics_of([entry], now=now)) if line.startswith("UID")]
        for now in (NOW, NOW + DAY)
    )
    assert first == second
    assert len(first) == 1


def test_long_names_are_folded_between_characters() -> None:
    name = "agent of " + "ä€😀" * 60
    (summary,) = (
        line
        for line in unfolded(ics_of([Entry(NOW, Event.EXPIRES, name)], now=NOW))
        if line.startswith("SUMMARY")
    )
    assert summary == f"SUMMARY:{name} expires"


def test_a_line_break_in_a_name_makes_no_line() -> None:
    name = "x\r\nEND:VEVENT"
    lines = unfolded(ics_of([Entry(NOW, Event.EXPIRES, name)], now=NOW))
    assert lines.count("END:VEVENT") == 1


def test_without_stack_and_prism_the_command_fails(run: Run) -> None:
    ended = run("calendar")
    assert ended.code == 1
    assert "there is no Pulumi project here" in ended.err


@pytest.mark.parametrize("wrong", [("--days", "-1"), ("--at", "tomorrow")])
def test_wrong_options_are_refused(run: Run, wrong: tuple[str, str]) -> None:
    assert run("calendar", *wrong).code == 2
