from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.attestation.policy import PolicyFile, PolicyForm, SignedMessage
from prism_iac.errors import Conflict, InvalidInput, VerificationFailure
from prism_iac.pki import PrivateKey
from tests.unit.attestation.policy.keys import KEYS, SAMPLES, SIGNER, sample

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = {"es256": -7, "es384": -35, "es512": -36, "eddsa": -8}
NAMES = {"es256": "ES256", "es384": "ES384", "es512": "ES512", "eddsa": "EdDSA"}


def signed_sample(name: str) -> SignedMessage:
    signed = sample(f"host-tool.{name}").signed
    assert signed is not None
    return signed


@pytest.mark.parametrize("name", KEYS)
def test_a_signed_policy_says_the_same_and_its_signature_holds(name: str) -> None:
    file = sample(f"host-tool.{name}")
    assert file.document == sample("host-tool.corim").document
    signed = signed_sample(name)
    assert (signed.algorithm, signed.signer) == (NAMES[name], SIGNER)
    signed.verify(KEYS[name].public_key(), now=NOW)


@pytest.mark.parametrize("name", KEYS)
def test_the_headers_are_those_that_the_participants_tool_reads(name: str) -> None:
    data = (SAMPLES / f"host-tool.{name}").read_bytes()
    assert data.startswith(b"\xd2\x84")
    protected, unprotected, payload, signature = decode_cbor(data).value
    meta = encode_cbor({0: {0: SIGNER}})
    assert decode_cbor(protected) == {1: IDS[name], 3: "application/rim+cbor", 8: meta}
    assert unprotected == {}
    assert payload == (SAMPLES / "host-tool.corim").read_bytes()
    assert len(signature) == {"es256": 64, "es384": 96, "es512": 132, "eddsa": 64}[name]


@given(st.sampled_from(sorted(KEYS)), st.data())
def test_a_signed_policy_with_any_bit_changed_is_refused(name: str, data: st.DataObject) -> None:
    damaged = bytearray((SAMPLES / f"host-tool.{name}").read_bytes())
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises((InvalidInput, VerificationFailure)):
        SignedMessage.parse(bytes(damaged)).verify(KEYS[name].public_key(), now=NOW)


@pytest.mark.parametrize("name", KEYS)
def test_another_key_does_not_verify(name: str) -> None:
    others: dict[str, PrivateKey] = {
        "es256": ec.derive_private_key(8, ec.SECP256R1()),
        "es384": ec.derive_private_key(8, ec.SECP384R1()),
        "es512": ec.derive_private_key(8, ec.SECP521R1()),
        "eddsa": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)),
    }
    with pytest.raises(VerificationFailure, match="made by the given key"):
        signed_sample(name).verify(others[name].public_key(), now=NOW)


def test_a_key_of_another_kind_does_not_verify() -> None:
    with pytest.raises(VerificationFailure, match="algorithm is ES256, the policy wants ES384"):
        signed_sample("es256").verify(KEYS["es384"].public_key(), now=NOW)
    with pytest.raises(VerificationFailure, match="none of COSE"):
        signed_sample("es256").verify(_rsa().public_key(), now=NOW)


def test_a_key_of_another_kind_does_not_sign() -> None:
    with pytest.raises(InvalidInput, match="does not sign"):
        sample("host-tool.corim").sign(_rsa(), signer=SIGNER)


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_signing_is_deterministic_and_replaces_an_earlier_signature() -> None:
    once = sample("host-tool.es256")
    assert sample("host-tool.json").sign(KEYS["es256"], signer=SIGNER).to_bytes() == once.to_bytes()
    again = once.sign(KEYS["eddsa"], signer=SIGNER)
    assert again.to_bytes() == (SAMPLES / "host-tool.eddsa").read_bytes()


def test_a_signed_policy_is_not_edited_but_converted() -> None:
    file = sample("host-tool.es256")
    with pytest.raises(Conflict, match="break the signature"):
        file.with_document(file.document)
    converted = file.converted(PolicyForm.CORIM)
    assert converted.signed is None
    assert converted.to_bytes() == (SAMPLES / "host-tool.corim").read_bytes()


def _message(**headers: Any) -> bytes:
    """The signed sample with other headers; the signature over them holds."""
    protected, unprotected, payload, _ = decode_cbor((SAMPLES / "host-tool.eddsa").read_bytes()).value
    changed = decode_cbor(protected) | {int(label[1:]): value for label, value in headers.items()}
    protected = encode_cbor({label: value for label, value in changed.items() if value is not None})
    key = KEYS["eddsa"]
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    signature = key.sign(encode_cbor(["Signature1", protected, b"", payload]))
    return encode_cbor(Tagged(18, [protected, unprotected, payload, signature]))


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x1": None}, "not known here"),
        ({"x1": -37}, "algorithm that is not known"),
        ({"x1": True}, "algorithm that is not known"),
        ({"x2": [99]}, "critical header"),
        ({"x2": 1}, "critical header"),
        ({"x3": "application/json"}, "not application/rim"),
        ({"x3": None}, "not application/rim"),
        ({"x8": None}, "cannot be read"),
        ({"x8": b"\xa0"}, "who signs"),
        ({"x8": b"\xff"}, "cannot be read"),
        ({"x8": encode_cbor({0: {0: 5}})}, "cannot be read"),
        ({"x8": encode_cbor({0: {}, 1: {1: "soon"}})}, "validity"),
        ({"x8": encode_cbor({0: {}, 1: {1: Tagged(1, 2**60)}})}, "validity"),
    ],
)
def test_headers_that_are_not_understood_are_refused(headers: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        PolicyFile.parse(_message(**headers))


def test_a_critical_header_that_is_understood_is_fine() -> None:
    SignedMessage.parse(_message(x2=[3, 8])).verify(KEYS["eddsa"].public_key(), now=NOW)


@pytest.mark.parametrize(
    ("validity", "failing"),
    [
        ({0: Tagged(1, int(NOW.timestamp()))}, None),
        ({0: Tagged(1, int(NOW.timestamp()) + 1)}, "first moment"),
        ({1: Tagged(1, int(NOW.timestamp()))}, None),
        ({1: Tagged(1, int(NOW.timestamp()) - 1)}, "last moment"),
    ],
)
def test_a_signature_counts_in_its_time_alone(validity: dict[int, Any], failing: str | None) -> None:
    signed = SignedMessage.parse(_message(x8=encode_cbor({0: {}, 1: validity})))
    if failing is None:
        signed.verify(KEYS["eddsa"].public_key(), now=NOW)
    else:
        with pytest.raises(VerificationFailure, match=failing):
            signed.verify(KEYS["eddsa"].public_key(), now=NOW)


@pytest.mark.parametrize(
    "data",
    [
        encode_cbor(Tagged(18, [b"", {}, None, b""])),
        encode_cbor(Tagged(18, [b"", {}, b""])) + b"\x00",
        b"\xd2\x84\xff",
        encode_cbor(Tagged(18, [b"\x01", {}, b"", b""])),
        encode_cbor(Tagged(18, [b"", {}, b"", b""])),
    ],
)
def test_what_is_no_signed_message_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        SignedMessage.parse(data)
