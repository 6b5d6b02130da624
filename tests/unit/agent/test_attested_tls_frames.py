"""The frames of attested TLS against bytes written by hand from the tables of cocos-grpc.md section 9.1."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.agent.atls import fresh_pair
from prism_iac.agent.atls._authenticator import Authenticator, Identity
from prism_iac.agent.atls._certified import certify, evidence_in, name_of, nonce_for, nonce_in
from prism_iac.agent.atls._channel import Binding, Channel
from prism_iac.agent.atls._payload import Payload
from prism_iac.agent.atls._prover import Prover
from prism_iac.agent.atls._request import AuthenticatorRequest
from prism_iac.agent.atls._wire import FrameType, frame, frame_size
from prism_iac.attestation import Outcome
from prism_iac.model.resources import KeyAlgorithm
from prism_iac.pki import generate_key_pair, load_certificates

CONTEXT = bytes(range(32))
REQUEST = bytes.fromhex("11 00002f 20") + CONTEXT + bytes.fromhex("000c 000d 0004 0002 0403 ff00 0000")
EVIDENCE = b"a token"


def export(label: bytes, length: int, context: bytes | None) -> bytes:
    """Stands for a connection's exporter: as unlike for every label and context as it is."""
    seed = label + (b"|" + context if context is not None else b"")
    return hashlib.shake_256(seed).digest(length)


def clock() -> datetime:
    return datetime.now(UTC)


def identity() -> Identity:
    return Prover.of(*fresh_pair(datetime.now(UTC)), lambda _: b"", now=clock).identity


IDENTITY = identity()
CHANNELS = [Channel(export, "sha256"), Channel(export, "sha384")]
by_digest = pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.digest)


def answer_on(channel: Channel) -> bytes:
    binding = Binding.of(channel, IDENTITY.key_der, CONTEXT)
    return IDENTITY.answer(REQUEST, CONTEXT, Payload.of(EVIDENCE, binding).to_bytes(), channel)


def test_a_request_is_the_bytes_that_were_seen_on_the_wire() -> None:
    assert AuthenticatorRequest(CONTEXT).to_bytes() == REQUEST
    assert AuthenticatorRequest.parse(REQUEST) == AuthenticatorRequest(CONTEXT)
    assert AuthenticatorRequest.parse(b"\x0d" + REQUEST[1:]) == AuthenticatorRequest(CONTEXT)


def test_a_request_may_have_more_schemes_and_extensions() -> None:
    extensions = bytes.fromhex("000d 0006 0004 0403 0804 0000 0001 00")
    body = b"\x01c" + len(extensions).to_bytes(2, "big") + extensions
    request = AuthenticatorRequest.parse(b"\x11" + len(body).to_bytes(3, "big") + body)
    assert request == AuthenticatorRequest(b"c", (0x0403, 0x0804), offers_attestation=False)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        REQUEST[:-1],
        REQUEST + b"\0",
        b"\x0b" + REQUEST[1:],
        bytes.fromhex("11 000003 00 0000"),
        bytes.fromhex("11 000004 01 63 0000"),
        bytes.fromhex("11 00000c 01 63 0008 ff00 0000 ff00 0000"),
    ],
    ids=["empty", "cut off", "longer", "other type", "no context", "no signatures", "twice"],
)
def test_what_is_no_request_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        AuthenticatorRequest.parse(bad)


def test_a_frame_is_its_type_and_its_length_before_it() -> None:
    assert frame(FrameType.REQUEST, REQUEST) == b"\x01\x00\x00\x00\x33" + REQUEST
    assert frame(FrameType.AUTHENTICATOR, b"ab") == b"\x02\x00\x00\x00\x02ab"
    assert frame_size(b"\x02\x01\x00\x00\x00", FrameType.AUTHENTICATOR) == 16 << 20


@pytest.mark.parametrize("head", [b"\x01\0\0\0\x01", b"\x00\0\0\x12\x04", b"\x02\x01\0\0\x01"])
def test_a_frame_of_another_type_or_beyond_16_mib_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        frame_size(head, FrameType.AUTHENTICATOR)


@by_digest
def test_an_authenticator_is_the_bytes_of_the_tables(channel: Channel) -> None:
    def h(*parts: bytes) -> bytes:
        return hashlib.new(channel.digest, b"".join(parts)).digest()

    size = len(h())
    key = IDENTITY.key_der
    value = export(b"Attestation", 32, CONTEXT)
    payload = json.dumps(
        {
            "version": 1,
            "media_type": "application/eat+cwt",
            "evidence": base64.b64encode(EVIDENCE).decode(),
            "binder": {
                "exporter_label": "Attestation",
                "aik_pub_hash": base64.b64encode(h(key)).decode(),
                "binding": base64.b64encode(h(key, value)).decode(),
            },
        },
        separators=(",", ":"),
    ).encode()
    (leaf,) = IDENTITY.certificates
    extension = (
        b"\xff\x00" + (len(payload) + 2).to_bytes(2, "big") + len(payload).to_bytes(2, "big") + payload
    )
    entry = len(leaf).to_bytes(3, "big") + leaf + len(extension).to_bytes(2, "big") + extension
    body = b"\x20" + CONTEXT + len(entry).to_bytes(3, "big") + entry
    certificate = b"\x0b" + len(body).to_bytes(3, "big") + body
    context = export(b"EXPORTER-server authenticator handshake context", size, None)
    signed = b"\x20" * 64 + b"Exported Authenticator" + b"\x00" + h(context, REQUEST, certificate)
    signature = IDENTITY.key.sign(signed, ECDSA(SHA256(), deterministic_signing=True))
    body = b"\x04\x03" + len(signature).to_bytes(2, "big") + signature
    verify = b"\x0f" + len(body).to_bytes(3, "big") + body
    finished_key = export(b"EXPORTER-server authenticator finished key", size, None)
    mac = hmac.digest(finished_key, h(context, REQUEST, certificate, verify), channel.digest)
    finished = b"\x14" + len(mac).to_bytes(3, "big") + mac

    assert answer_on(channel) == certificate + verify + finished


@by_digest
def test_an_authenticator_is_accepted_on_its_connection(channel: Channel) -> None:
    answer = Authenticator.parse(answer_on(channel))
    assert {check.outcome for check in answer.checks(REQUEST, CONTEXT, channel)} == {Outcome.PASS}
    assert answer.key_der == IDENTITY.key_der
    assert answer.payload is not None
    payload = Payload.parse(answer.payload)
    assert payload.evidence == EVIDENCE
    binding = Binding.of(channel, answer.key_der, CONTEXT)
    assert {check.outcome for check in payload.checks(binding)} == {Outcome.PASS}


def test_evidence_holds_the_hashes_of_the_binding() -> None:
    binding = Binding.of(CHANNELS[0], IDENTITY.key_der, CONTEXT)
    value = export(b"Attestation", 32, CONTEXT)
    assert binding.nonce.tee == hashlib.sha512(hashlib.sha256(IDENTITY.key_der + value).digest()).digest()
    assert binding.nonce.tpm == hashlib.sha256(value).digest()


def test_no_flipped_bit_of_an_authenticator_is_accepted() -> None:
    channel = CHANNELS[0]
    good = answer_on(channel)
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 8
        try:
            answer = Authenticator.parse(bytes(bad))
        except ValueError:
            continue
        checks = [*answer.checks(REQUEST, CONTEXT, channel)]
        assert Outcome.FAIL in {check.outcome for check in checks}, position


def test_an_authenticator_of_another_connection_or_request_is_not_accepted() -> None:
    channel = CHANNELS[0]
    other = Channel(lambda label, length, context: export(label + b"!", length, context), "sha256")
    answer = Authenticator.parse(answer_on(channel))
    assert [check.outcome for check in answer.checks(REQUEST, CONTEXT, other)] == [
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.FAIL,
    ]
    context = bytes(32)
    request = AuthenticatorRequest(context).to_bytes()
    assert {check.outcome for check in answer.checks(request, context, channel)} == {Outcome.FAIL}


def test_an_issuer_may_follow_the_leaf_but_brings_no_extension() -> None:
    (leaf,) = IDENTITY.certificates
    channel = CHANNELS[0]
    answer = replace(IDENTITY, certificates=(leaf, leaf)).answer(REQUEST, CONTEXT, b"p", channel)
    assert Authenticator.parse(answer).payload == b"p"
    assert answer.count(leaf + b"\0\0") == 1
    with pytest.raises(ValueError, match="extensions"):
        Authenticator.parse(lengthened(answer, leaf + b"\0\0", leaf + b"\0\x04\xff\0\0\0"))


def lengthened(answer: bytes, old: bytes, new: bytes) -> bytes:
    """An authenticator whose certificate message has other bytes, with the lengths that follow."""
    size = int.from_bytes(answer[1:4], "big")
    body, rest = answer[4 : 4 + size].replace(old, new), answer[4 + size :]
    entries = body[1 + len(CONTEXT) + 3 :]
    body = body[: 1 + len(CONTEXT)] + len(entries).to_bytes(3, "big") + entries
    return b"\x0b" + len(body).to_bytes(3, "big") + body + rest


def test_a_key_that_is_not_on_p256_is_replaced_by_a_fresh_one() -> None:
    pair = generate_key_pair(KeyAlgorithm.RSA, 2048)
    certificate, _ = fresh_pair(datetime.now(UTC))
    prover = Prover.of(certificate, pair.private_pem, lambda _: b"", now=clock)
    assert isinstance(prover.identity.key.curve, ec.SECP256R1)
    assert prover.identity.certificates != (load_certificates(certificate)[0].public_bytes(Encoding.DER),)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"media_type": "application/eat+jwt"},
        {"evidence": None},
        {"evidence": "not base64!"},
        {"binder": None},
        {"binder": {"aik_pub_hash": "AA=="}},
        {"binder": {"exporter_label": 1, "aik_pub_hash": "AA==", "binding": "AA=="}},
    ],
    ids=str,
)
def test_what_is_no_payload_is_refused(change: dict[str, object]) -> None:
    good = json.loads(Payload(EVIDENCE, "", b"", b"").to_bytes())
    with pytest.raises(ValueError, match=r"."):
        Payload.parse(json.dumps(good | change).encode())


@given(st.binary(max_size=200) | st.builds(lambda cut: answer_on(CHANNELS[0])[:cut], st.integers(0, 700)))
def test_no_bytes_break_a_parser(data: bytes) -> None:
    for parse in (Authenticator.parse, AuthenticatorRequest.parse, Payload.parse):
        try:
            parse(data)
        except ValueError:
            continue


# the older generation, cocos-grpc.md section 9.2


def test_the_nonce_of_a_client_is_the_name_that_it_asks_for() -> None:
    nonce = bytes(range(64))
    assert name_of(nonce) == nonce.hex().encode() + b".nonce"
    assert nonce_in(name_of(nonce)) == nonce
    assert nonce_in(None) is None


def test_evidence_holds_a_hash_of_the_certified_key_and_the_nonce() -> None:
    expected = hashlib.sha3_512(IDENTITY.key_der + bytes(64)).digest()
    nonce = nonce_for(IDENTITY.key_der, bytes(64))
    assert (nonce.tee, nonce.tpm) == (expected, expected[:32])


def test_evidence_is_the_bare_value_of_an_extension() -> None:
    certificate = certify(IDENTITY.key, EVIDENCE, now=clock())
    (extension,) = certificate.extensions
    assert extension.oid.dotted_string == "2.99999.1.0"
    der = certificate.public_bytes(Encoding.DER)
    # 2.99999 is one number, 80 + 99999, in base 128 (X.690 section 8.19).
    assert bytes.fromhex("0605 868d6f 01 00") + b"\x04" + bytes([len(EVIDENCE)]) + EVIDENCE in der
    assert evidence_in(certificate) == EVIDENCE
    certificate.verify_directly_issued_by(certificate)


def test_a_certificate_without_evidence_has_none() -> None:
    assert evidence_in(load_certificates(fresh_pair(clock())[0])[0]) is None
