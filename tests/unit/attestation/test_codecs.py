"""The encodings that evidence travels in: known answers, round trips, and bytes that are none of them."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor
from prism_iac.attestation._der import Tag, integer_of, item, items_of, oid_content, oid_of, only_item
from prism_iac.attestation._protobuf import Message, encode_message

# RFC 8949, appendix A.
CBOR = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"\1\2\3\4", "4401020304"),
    ("IETF", "6449455446"),
    ("\u6c34", "63e6b0b4"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (Tagged(23, b"\1\2\3\4"), "d74401020304"),
]

items: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.integers(0, 2**64 - 1) | st.text() | st.binary(), inner)
        | st.builds(Tagged, st.integers(0, 2**64 - 1), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(("value", "encoded"), CBOR)
def test_cbor_is_as_in_the_examples_of_the_standard(value: object, encoded: str) -> None:
    assert encode_cbor(value) == bytes.fromhex(encoded)
    assert decode_cbor(bytes.fromhex(encoded)) == value


@given(items)
def test_cbor_survives_its_bytes(value: object) -> None:
    assert decode_cbor(encode_cbor(value)) == value


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("", "cut off"),
        ("18", "cut off"),
        ("4401", "cut off"),
        ("9bffffffffffffffff", "cut off"),
        ("bbffffffffffffffff", "cut off"),
        ("5bffffffffffffffff", "cut off"),
        ("0000", "bytes follow"),
        ("5f42010243030405ff", "indefinite length"),
        ("9fff", "indefinite length"),
        ("f90000", "float"),
        ("fb3ff199999999999a", "float"),
        ("f8ff", "float or an unknown simple value"),
        ("a201020103", "twice"),
        ("a1f500", "of no use as one"),
        ("81" * 40 + "00", "nested too deeply"),
    ],
)
def test_cbor_of_another_form_is_refused(encoded: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_cbor(bytes.fromhex(encoded))


@given(st.integers(0, 2**64 - 1), st.binary(max_size=40))
def test_a_message_survives_its_bytes(number: int, octets: bytes) -> None:
    message = Message(encode_message(((1, number), (2, octets), (2, b"last"))))
    assert message.integer(1) == number
    assert tuple(message.each(2)) == tuple(filter(None, (octets, b"last")))
    assert message.octets(2) == b"last"


def test_a_message_is_as_in_the_examples_of_the_documentation() -> None:
    # protobuf.dev, "Encoding": field 1 is 150; field 2 is "testing".
    assert encode_message(((1, 150),)) == bytes.fromhex("089601")
    assert Message(bytes.fromhex("120774657374696e67")).octets(2) == b"testing"


@pytest.mark.parametrize("encoded", ["08", "0880", "1205ab", "00", "0b", "0f01", "0d0000", "08" + "ff" * 11])
def test_a_message_that_is_damaged_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match=r"cut off|no number|not known"):
        Message(bytes.fromhex(encoded))


def test_a_field_of_another_type_is_refused() -> None:
    message = Message(encode_message(((1, 7), (2, b"x"))))
    with pytest.raises(ValueError, match="not bytes"):
        message.octets(1)
    with pytest.raises(ValueError, match="not a number"):
        message.integer(2)


@pytest.mark.parametrize(
    ("oid", "content"),
    [
        ("1.2.840.113741.1.13.1", "2a864886f84d010d01"),
        ("1.3.6.1.4.1.3704.1.3.8", "2b060104019c78010308"),
        ("2.5.29.35", "551d23"),
    ],
)
def test_object_identifiers_are_as_certificates_have_them(oid: str, content: str) -> None:
    assert oid_content(oid).hex() == content
    assert oid_of(bytes.fromhex(content)) == oid


@given(st.integers(0, 2**80))
def test_integers_survive_der(value: int) -> None:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    assert integer_of(only_item(item(Tag.INTEGER, content), Tag.INTEGER)) == value


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_octets_survive_der_whatever_their_length(size: int) -> None:
    octets = bytes(size)
    assert only_item(item(Tag.OCTETS, octets), Tag.OCTETS) == octets


@pytest.mark.parametrize("encoded", ["04", "0405", "048101", "04820001", "0480", "1f8101", "0482"])
def test_der_in_another_than_the_shortest_form_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        list(items_of(bytes.fromhex(encoded)))


@pytest.mark.parametrize("content", ["", "ff", "0001", "80"])
def test_integers_that_are_negative_or_padded_are_refused(content: str) -> None:
    with pytest.raises(ValueError, match="INTEGER"):
        integer_of(bytes.fromhex(content))


@pytest.mark.parametrize("content", ["", "80", "2a86", "2a" + "ff" * 20 + "01"])
def test_object_identifiers_that_are_cut_off_or_too_large_are_refused(content: str) -> None:
    with pytest.raises(ValueError, match="object identifier"):
        oid_of(bytes.fromhex(content))


@given(st.binary())
def test_no_bytes_make_a_decoder_fail_otherwise(data: bytes) -> None:
    for decode in (decode_cbor, Message, lambda octets: list(items_of(octets)), oid_of):
        try:
            decode(data)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x9a\x00\x0f\xff\xff" + bytes(1 << 20),  # an array of as many numbers as there are bytes
        b"\x81" * 30 + b"\x9a\x00\x07\xff\xff" + bytes(1 << 20),
        b"\xba\x00\x07\xff\xff" + bytes(1 << 20),
    ],
)
def test_memory_grows_no_faster_than_the_bytes(hostile: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"cut off|bytes follow|twice"):
            decode_cbor(hostile)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(hostile)
