"""DSSE envelopes: the bytes that are signed, by hand, and that nothing of them can be touched."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.pki import Envelope, PrivateKey, key_id, pre_authentication_encoding, public_der

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(7, ec.SECP256R1())
P384 = ec.derive_private_key(7, ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, PrivateKey] = {"ed25519": ED25519, "p256": P256, "p384": P384, "rsa": RSA}


def test_the_encoding_is_that_of_the_example_in_the_specification() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(max_size=20), st.binary(max_size=40))
def test_lengths_are_those_of_bytes(kind: str, payload: bytes) -> None:
    parts = [b"DSSEv1", str(len(kind.encode())).encode(), kind.encode(), str(len(payload)).encode(), payload]
    assert pre_authentication_encoding(kind, payload) == b" ".join(parts)


@given(st.tuples(st.text(), st.binary()), st.tuples(st.text(), st.binary()))
def test_no_two_messages_have_one_encoding(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    same = pre_authentication_encoding(*one) == pre_authentication_encoding(*other)
    assert same is (one == other)


def by_ed25519(signature: bytes, message: bytes) -> None:
    ED25519.public_key().verify(signature, message)


def by_p256(signature: bytes, message: bytes) -> None:
    P256.public_key().verify(signature, message, ec.ECDSA(SHA256()))


def by_p384(signature: bytes, message: bytes) -> None:
    P384.public_key().verify(signature, message, ec.ECDSA(SHA384()))


def by_rsa(signature: bytes, message: bytes) -> None:
    RSA.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    ("key", "verify"), [(ED25519, by_ed25519), (P256, by_p256), (P384, by_p384), (RSA, by_rsa)], ids=[*KEYS]
)
def test_a_signature_holds_over_the_encoding_by_other_means(
    key: PrivateKey, verify: Callable[[bytes, bytes], None]
) -> None:
    document = json.loads(Envelope("text/plain", b"payload").signed(key).to_bytes())
    assert document["payload"] == "cGF5bG9hZA=="
    assert document["payloadType"] == "text/plain"
    (signature,) = document["signatures"]
    verify(base64.b64decode(signature["sig"]), b"DSSEv1 10 text/plain 7 payload")
    assert signature["keyid"] == key_id(public_der(key.public_key()))


def test_the_file_of_a_deterministic_signature_is_known_to_the_byte() -> None:
    message = b"DSSEv1 1 t 1 p"
    signature = base64.b64encode(ED25519.sign(message)).decode()
    keyid = key_id(public_der(ED25519.public_key()))
    assert Envelope("t", b"p").signed(ED25519).to_bytes().decode() == (
        '{\n  "payload": "cA==",\n  "payloadType": "t",\n  "signatures": [\n    {\n'
        f'      "keyid": "{keyid}",\n      "sig": "{signature}"\n    }}\n  ]\n}}\n'
    )


def test_several_sign_in_turn_and_each_counts_once() -> None:
    envelope = Envelope("t", b"p")
    for key in (ED25519, P256, P384, RSA, P256):
        envelope = envelope.signed(key)
    ders = {name: public_der(key.public_key()) for name, key in KEYS.items()}
    read = Envelope.parse(envelope.to_bytes())
    assert read == envelope
    assert read.verify([*ders.values()]) == (ders["ed25519"], ders["p384"], ders["rsa"], ders["p256"])


def test_a_key_that_may_not_sign_is_refused_and_so_is_nobody() -> None:
    signed = Envelope("t", b"p").signed(ED25519).signed(P256)
    with pytest.raises(InvalidInput, match="may not sign"):
        signed.verify([public_der(ED25519.public_key())])
    with pytest.raises(InvalidInput, match="nobody has signed"):
        Envelope("t", b"p").verify([public_der(ED25519.public_key())])


@pytest.mark.parametrize(
    "respelled",
    [
        json.dumps(json.loads(Envelope("t", b"p").signed(ED25519).to_bytes())).encode(),
        Envelope("t", b"p").signed(ED25519).to_bytes() + b"\n",
        Envelope("t", b"p").signed(ED25519).to_bytes().replace(b"{\n", b'{\n  "more": 1,\n', 1),
        Envelope("t", b"p").signed(ED25519).to_bytes().replace(b'"cA=="', b'"cB=="'),
    ],
    ids=["spacing", "line", "field", "base64"],
)
def test_an_envelope_has_one_spelling(respelled: bytes) -> None:
    with pytest.raises(InvalidInput, match="the envelope is not written as it was signed"):
        Envelope.parse(respelled)


def test_one_signature_does_not_stand_for_two() -> None:
    signed = Envelope("t", b"p").signed(ED25519)
    twice = replace(signed, signatures=signed.signatures * 2)
    with pytest.raises(InvalidInput, match="a key stands among the signatures twice"):
        Envelope.parse(twice.to_bytes())


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_another_payload_or_type_does_not_hold(key: PrivateKey) -> None:
    signed, known = Envelope("t", b"p").signed(key), [public_der(key.public_key())]
    signed.verify(known)
    for other in (replace(signed, payload=b"q"), replace(signed, payload_type="u")):
        with pytest.raises(InvalidInput, match="does not hold"):
            other.verify(known)


SIGNED = Envelope("application/x", b'{"a":1}').signed(ED25519).signed(P256).to_bytes()
MAY_SIGN = [public_der(ED25519.public_key()), public_der(P256.public_key())]


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_a_change_of_any_byte_is_found(at: int, change: int) -> None:
    tampered = SIGNED[:at] + bytes([SIGNED[at] ^ change]) + SIGNED[at + 1 :]
    with pytest.raises(InvalidInput):
        Envelope.parse(tampered).verify(MAY_SIGN)


@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_they_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Envelope.parse(data)
