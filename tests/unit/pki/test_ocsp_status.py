"""Whose word about a certificate counts, and for how long."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.model.resources import KeyAlgorithm, KeySpec
from prism_iac.pki import (
    Authority,
    IssuedCertificate,
    Revocation,
    Standing,
    create_ocsp_request,
    load_certificates,
    load_private_key,
    read_ocsp_response,
)
from tests.unit.pki.conftest import FAST_KEY

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> IssuedCertificate:
    return authority.issue(common_name="leaf", key=FAST_KEY, now=NOW, validity=timedelta(days=1))


def never_issued(serial: int) -> None:
    raise LookupError(serial)


def asked(leaf: IssuedCertificate, authority: Authority) -> bytes:
    return create_ocsp_request(leaf.certificate_pem, authority.certificate_pem)


@pytest.mark.parametrize(
    ("status_of", "standing"),
    [
        (lambda _: None, Standing.GOOD),
        (lambda _: Revocation(NOW), Standing.REVOKED),
        (never_issued, Standing.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    "key",
    [FAST_KEY, KeySpec(algorithm=KeyAlgorithm.RSA, size=2048), KeySpec(algorithm=KeyAlgorithm.ED25519)],
    ids=lambda key: str(key.algorithm) if isinstance(key, KeySpec) else "",
)
def test_the_issuers_answer_is_understood(key: KeySpec, status_of: object, standing: Standing) -> None:
    authority = Authority.create("root", key=key, now=NOW, validity=timedelta(days=1))
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=NOW, validity=timedelta(days=1))
    answer = authority.ocsp_response(asked(leaf, authority), status_of, NOW)  # type: ignore[arg-type]  # functions of a table
    cas = authority.certificate_pem
    assert read_ocsp_response(answer, leaf.certificate_pem, cas, now=NOW) is standing


def test_the_issuer_is_found_among_several_cas(authority: Authority, leaf: IssuedCertificate) -> None:
    other = Authority.create("other", key=FAST_KEY, now=NOW, validity=timedelta(days=1))
    cas = other.certificate_pem + authority.certificate_pem
    answer = authority.ocsp_response(create_ocsp_request(leaf.certificate_pem, cas), lambda _: None, NOW)
    assert read_ocsp_response(answer, leaf.certificate_pem, cas, now=NOW) is Standing.GOOD
    with pytest.raises(InvalidInput, match="none of the CAs given issued"):
        create_ocsp_request(leaf.certificate_pem, other.certificate_pem)


def test_an_answer_of_somebody_else_does_not_count(authority: Authority, leaf: IssuedCertificate) -> None:
    impostor = Authority.create("test CA", key=FAST_KEY, now=NOW, validity=timedelta(days=1))
    certificate, issuer, other = (
        load_certificates(item.certificate_pem)[0] for item in (leaf, authority, impostor)
    )
    forged = (
        ocsp.OCSPResponseBuilder()
        .add_response(certificate, issuer, SHA1(), ocsp.OCSPCertStatus.GOOD, NOW, None, None, None)  # noqa: S303  # what requests name the issuer with
        .responder_id(ocsp.OCSPResponderEncoding.HASH, other)
        .certificates([other])
        .sign(load_private_key(impostor.key_pem), SHA256())
        .public_bytes(Encoding.DER)
    )
    with pytest.raises(InvalidInput, match="not signed by the issuer"):
        read_ocsp_response(forged, leaf.certificate_pem, authority.certificate_pem, now=NOW)


def test_an_answer_about_another_certificate_does_not_count(
    authority: Authority, leaf: IssuedCertificate
) -> None:
    other = authority.issue(common_name="other", key=FAST_KEY, now=NOW, validity=timedelta(days=1))
    answer = authority.ocsp_response(asked(other, authority), lambda _: None, NOW)
    with pytest.raises(InvalidInput, match="about another certificate"):
        read_ocsp_response(answer, leaf.certificate_pem, authority.certificate_pem, now=NOW)


@pytest.mark.parametrize(
    ("edge", "beyond"),
    [(-timedelta(minutes=10), -SECOND), (timedelta(minutes=70), SECOND)],
    ids=["before", "after"],
)
def test_an_answer_counts_for_its_hour_on_clocks_that_differ_a_little(
    authority: Authority, leaf: IssuedCertificate, edge: timedelta, beyond: timedelta
) -> None:
    answer = authority.ocsp_response(asked(leaf, authority), lambda _: None, NOW)
    pems = leaf.certificate_pem, authority.certificate_pem
    assert read_ocsp_response(answer, *pems, now=NOW + edge) is Standing.GOOD
    with pytest.raises(InvalidInput, match="is of another time"):
        read_ocsp_response(answer, *pems, now=NOW + edge + beyond)


def test_a_refusal_is_no_answer(authority: Authority, leaf: IssuedCertificate) -> None:
    refusal = authority.ocsp_response(b"what?", lambda _: None, NOW)
    with pytest.raises(InvalidInput, match="says malformed request"):
        read_ocsp_response(refusal, leaf.certificate_pem, authority.certificate_pem, now=NOW)


@given(place=st.integers(0, 4095), damage=st.integers(1, 255))
def test_no_damage_makes_a_revoked_certificate_good(
    authority: Authority, leaf: IssuedCertificate, place: int, damage: int
) -> None:
    answer = bytearray(authority.ocsp_response(asked(leaf, authority), lambda _: Revocation(NOW), NOW))
    answer[place % len(answer)] ^= damage
    try:
        standing = read_ocsp_response(bytes(answer), leaf.certificate_pem, authority.certificate_pem, now=NOW)
    except InvalidInput:
        return
    assert standing is Standing.REVOKED


def answer_of_another_responder(
    authority: Authority, leaf: IssuedCertificate, folder: Path, extension: str
) -> bytes:
    """What openssl answers with a certificate of its own, good for an hour."""
    files = {
        "ca.pem": authority.certificate_pem,
        "ca-key.pem": authority.key_pem,
        "request.der": asked(leaf, authority),
        "index.txt": f"V\t400101000000Z\t\t{leaf.serial:X}\tunknown\t/CN=leaf\n".encode(),
        "extensions": extension.encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for command in (
        "req -newkey rsa:2048 -noenc -keyout key.pem -out req.pem -subj /CN=responder",
        "x509 -req -in req.pem -CA ca.pem -CAkey ca-key.pem -extfile extensions -days 1 -out responder.pem",
        "ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey key.pem -nmin 60 -reqin request.der -respout answer.der",
    ):
        subprocess.run(["openssl", *command.split()], check=True, cwd=folder, capture_output=True)
    return (folder / "answer.der").read_bytes()


def test_a_responder_that_the_issuer_allowed_to_answer_counts(authority: Authority, tmp_path: Path) -> None:
    now = datetime.now(UTC)  # openssl dates its answers by the machine's clock
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=timedelta(days=1))
    answer = answer_of_another_responder(authority, leaf, tmp_path, "extendedKeyUsage=OCSPSigning")
    cas = authority.certificate_pem
    assert read_ocsp_response(answer, leaf.certificate_pem, cas, now=now) is Standing.GOOD


def test_any_other_certificate_of_the_issuer_does_not_answer_for_it(
    authority: Authority, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    leaf = authority.issue(common_name="leaf", key=FAST_KEY, now=now, validity=timedelta(days=1))
    answer = answer_of_another_responder(authority, leaf, tmp_path, "extendedKeyUsage=serverAuth")
    with pytest.raises(InvalidInput, match="not signed by the issuer"):
        read_ocsp_response(answer, leaf.certificate_pem, authority.certificate_pem, now=now)
