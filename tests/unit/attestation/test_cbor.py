"""Our CBOR beside `cbor2`, and what it refuses that `cbor2` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.attestation._cbor import Tagged, decode_cbor, encode_cbor

ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.integers(-(2**64), 2**64 - 1) | st.text(max_size=3) | st.binary(max_size=3), inner, max_size=4
        )
        | st.builds(Tagged, st.integers(10_000, 2**32), inner)
    ),
    max_leaves=12,
)


@given(ITEMS)
def test_what_is_written_is_what_another_library_reads(item: Any) -> None:
    assert _ours(cbor2.loads(encode_cbor(item))) == item


@given(ITEMS)
def test_what_another_library_writes_is_read(item: Any) -> None:
    assert decode_cbor(cbor2.dumps(_theirs(item))) == item
    assert decode_cbor(encode_cbor(item)) == item


@given(ITEMS)
def test_the_written_form_does_not_depend_on_the_order_of_keys(item: Any) -> None:
    assert encode_cbor(_reversed(item)) == encode_cbor(item)


@given(st.binary(max_size=100))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    try:
        item = decode_cbor(data)
    except ValueError:
        return
    assert decode_cbor(encode_cbor(item)) == item


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x00",
        b"\x9f\xff",  # of indefinite length
        b"\xf9\x3c\x00",  # a float
        b"\xa2\x00\x00\x00\x01",  # a key twice
        b"\xa1\xf5\x00",  # a truth value as a key
        b"\x62\xc3\x28",  # text that is no UTF-8
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # more items than there are bytes
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 33 + b"\x00",
        b"\x1c",  # a reserved length
    ],
)
def test_what_is_not_plain_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_cbor(data)


def test_what_has_no_form_is_not_written() -> None:
    for item in (1.5, {1}, 2**64, -(2**64) - 1):
        with pytest.raises(TypeError):
            encode_cbor(item)


def _theirs(item: Any) -> Any:
    match item:
        case Tagged():
            return cbor2.CBORTag(item.tag, _theirs(item.value))
        case dict():
            return {key: _theirs(value) for key, value in item.items()}
        case list():
            return [_theirs(value) for value in item]
        case _:
            return item


def _ours(item: Any) -> Any:
    match item:
        case cbor2.CBORTag():
            return Tagged(item.tag, _ours(item.value))
        case Mapping():  # within a tag, of a kind that cannot be changed
            return {key: _ours(value) for key, value in item.items()}
        case list() | tuple():
            return [_ours(value) for value in item]
        case _:
            return item


def _reversed(item: Any) -> Any:
    match item:
        case Tagged():
            return Tagged(item.tag, _reversed(item.value))
        case dict():
            return {key: _reversed(value) for key, value in reversed(item.items())}
        case list():
            return [_reversed(value) for value in item]
        case _:
            return item
