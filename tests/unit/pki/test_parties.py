from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm, KeySpec, Subject
from prism_iac.pki import (
    Authority,
    Hierarchy,
    Parties,
    Party,
    Permitted,
    Side,
    check_certificate,
    issue_parties,
    load_certificates,
    load_private_key,
)
from tests.unit.pki.conftest import FAST_KEY, OpenSsl

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTIES = (
    Party("server-eu", Side.SERVER, "agent eu", Subject(organizational_unit="Agents"), ["eu.agents.example"]),
    Party("server-us", Side.SERVER, "agent us", ip_addresses=["10.0.0.7"]),
    Party("client-ada", Side.CLIENT, "ada", Subject(organizational_unit="CLI")),
    Party("client-grace", Side.CLIENT, "grace"),
)


def _issue(now: datetime, above: Hierarchy | Authority, *parties: Party) -> Parties:
    return issue_parties(parties or PARTIES, above, key=FAST_KEY, now=now, validity=DAY)


@pytest.mark.parametrize("has_intermediate", [False, True])
def test_every_party_of_a_bundle_chains_to_the_one_root(
    has_intermediate: bool,  # noqa: FBT001  # a column of the table
    now: datetime,
    tmp_path: Path,
    openssl: OpenSsl,
) -> None:
    issued = _issue(now, Hierarchy("iris CA", has_intermediate=has_intermediate))
    assert list(issued.certificates) == [party.name for party in PARTIES]
    (tmp_path / "ca.pem").write_bytes(issued.root.certificate_pem)
    for party in PARTIES:
        made = issued.certificates[party.name]
        assert len(load_certificates(made.certificate_pem)) == 1 + has_intermediate
        names = [*party.dns_names, *party.ip_addresses]
        ca, key = issued.root.certificate_pem, made.key_pem
        findings = check_certificate(
            made.certificate_pem, now=now, ca_pem=ca, key_pem=key, names=names, side=party.side
        )
        assert findings == []
        (tmp_path / "chain.pem").write_bytes(made.certificate_pem)
        verified = openssl(
            "verify", "-x509_strict", "-purpose", f"ssl{party.side}", "-attime", str(int(now.timestamp())),
            "-CAfile", str(tmp_path / "ca.pem"), "-untrusted", str(tmp_path / "chain.pem"),
            str(tmp_path / "chain.pem"),
        )  # fmt: skip
        assert verified.returncode == 0, verified.stderr


def test_each_party_has_a_subject_of_its_own(now: datetime) -> None:
    issued = _issue(now, Hierarchy("iris CA"))
    subjects = [
        load_certificates(made.certificate_pem)[0].subject.rfc4514_string()
        for made in issued.certificates.values()
    ]
    assert subjects == ["OU=Agents,CN=agent eu", "CN=agent us", "OU=CLI,CN=ada", "CN=grace"]


def test_parties_join_under_an_authority_that_is_there(authority: Authority, now: datetime) -> None:
    issued = _issue(now, authority, PARTIES[2])
    assert issued.issuer is issued.root is authority
    made = issued.certificates["client-ada"]
    assert check_certificate(made.certificate_pem, now=now, ca_pem=authority.certificate_pem) == []


def test_only_the_root_of_an_intermediate_has_room_below_it(now: datetime) -> None:
    issued = _issue(now, Hierarchy("iris CA", has_intermediate=True))
    below = issued.root.create_below("another", key=FAST_KEY, now=now, validity=DAY)
    assert load_certificates(below.chain_pem)[0].issuer == load_certificates(below.root_pem)[0].subject
    with pytest.raises(InvalidInput, match='"iris CA intermediate" may have no other below it'):
        issued.issuer.create_below("third", key=FAST_KEY, now=now, validity=DAY)


def test_an_intermediate_is_the_same_after_a_restart(now: datetime) -> None:
    issuer = _issue(now, Hierarchy("iris CA", has_intermediate=True)).issuer
    again = Authority.load(issuer.certificate_pem + issuer.root_pem, issuer.key_pem)
    assert (again.chain_pem, again.root_pem) == (issuer.chain_pem, issuer.root_pem)


def test_an_intermediate_never_outlives_its_root(now: datetime) -> None:
    root = Authority.create("root", key=FAST_KEY, now=now, validity=DAY, path_length=1)
    assert root.create_below("below", key=FAST_KEY, now=now, validity=9 * DAY).not_after == root.not_after


@pytest.mark.parametrize(
    ("party", "message"),
    [
        (Party("server", Side.SERVER, "agent"), "the server's certificate names no address"),
        (Party("ada", Side.CLIENT, "ada", dns_names=["a.example"]), "ada names an address"),
        (Party("client-ada", Side.CLIENT, "ada"), "several parties with the name 'client-ada'"),
    ],
)
def test_parties_that_make_no_sense_are_refused(party: Party, message: str, now: datetime) -> None:
    with pytest.raises(InvalidInput, match=message):
        _issue(now, Hierarchy("CA"), PARTIES[2], party)


def test_parties_with_keys_that_grpc_cannot_use_are_refused(authority: Authority, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="Ed25519"):
        issue_parties(PARTIES, authority, key=KeySpec(algorithm=KeyAlgorithm.ED25519), now=now, validity=DAY)


@pytest.mark.parametrize(
    ("permitted", "names", "forbidden"),
    [
        (
            Permitted(["agents.example"]),
            ["agents.example", "a.agents.example"],
            ["other.example", "10.0.0.7"],
        ),
        (Permitted(["agents.example"]), [], ["xagents.example", "::1"]),
        (Permitted([".agents.example"]), ["a.agents.example"], ["agents.example"]),
        (Permitted(ip_ranges=["10.0.0.0/8"]), ["10.9.8.7"], ["11.0.0.1", "a.example", "::1"]),
        (
            Permitted(["a.example"], ["fd00::/8", "10.0.0.7"]),
            ["a.example", "fd00::1", "10.0.0.7"],
            ["10.0.0.8"],
        ),
    ],
)
def test_names_beyond_what_is_permitted_are_refused_as_openssl_refuses_them(
    permitted: Permitted,
    names: list[str],
    forbidden: list[str],
    tmp_path: Path,
    openssl: OpenSsl,
) -> None:
    key = KeySpec(algorithm=KeyAlgorithm.ECDSA)
    limited = Authority.create("root", key=FAST_KEY, now=NOW, validity=DAY, permitted=permitted)
    # Of the same name and key, so that its leaves chain to both.
    free = Authority.create("root", key=load_private_key(limited.key_pem), now=NOW, validity=DAY)
    for name in [*names, *forbidden]:
        sort = "ip_addresses" if name[0].isdigit() or ":" in name else "dns_names"
        leaf = free.issue(common_name="leaf", key=key, now=NOW, validity=DAY, **{sort: [name]})  # type: ignore[arg-type]  # one kind
        (tmp_path / "ca.pem").write_bytes(limited.certificate_pem)
        (tmp_path / "leaf.pem").write_bytes(leaf.certificate_pem)
        verified = openssl(
            "verify", "-attime", str(int(NOW.timestamp())), "-CAfile", str(tmp_path / "ca.pem"),
            str(tmp_path / "leaf.pem"),
        )  # fmt: skip
        found = check_certificate(leaf.certificate_pem, now=NOW, ca_pem=limited.certificate_pem)
        assert (verified.returncode == 0) is (found == []) is (name in names), name
        if name in forbidden:
            assert f'the CA "root" may not certify {name} in "leaf"' in found[0].message
            with pytest.raises(InvalidInput, match=f'"root" may not certify {name}'):
                limited.issue(common_name="x", key=key, now=NOW, validity=DAY, **{sort: [name]})  # type: ignore[arg-type]  # one kind


@pytest.mark.parametrize(
    "permitted", [Permitted(), Permitted(["ä.example"]), Permitted(ip_ranges=["10.0.0.1/8"])]
)
def test_what_no_constraint_can_be_made_of_is_refused(permitted: Permitted, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        Authority.create("root", key=FAST_KEY, now=now, validity=DAY, permitted=permitted)


def test_an_intermediate_is_bound_by_what_its_root_permits(now: datetime) -> None:
    above = Hierarchy("CA", has_intermediate=True, permitted=Permitted(["agents.example"]))
    with pytest.raises(InvalidInput, match=r'"CA" may not certify 10\.0\.0\.7'):
        _issue(now, above)
    assert _issue(now, above, PARTIES[0], PARTIES[2]).certificates


def test_no_key_is_printed_with_the_parties(now: datetime) -> None:
    issued = _issue(now, Hierarchy("CA", has_intermediate=True))
    secrets = [made.key_pem for made in issued.certificates.values()]
    secrets += [issued.root.key_pem, issued.issuer.key_pem]
    shown = repr(issued)
    assert "PRIVATE" not in shown
    assert all(key.splitlines()[1].decode() not in shown for key in secrets)
