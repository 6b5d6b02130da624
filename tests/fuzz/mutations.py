"""Inputs near to those of a corpus: cut, repeated, swapped, with other bits, numbers and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

__all__ = ["inputs_near"]

_NUMBERS: Final = tuple(
    value.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for value in (0, 1, (1 << (8 * size - 1)) - 1, 1 << (8 * size - 1), (1 << (8 * size)) - 1)
    for order in ("little", "big")
)
_WORDS: Final = (
    b"",
    b"\0",
    b"\n",
    b"\r",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a":' * 2000,
    b"\\ud800",
    "\u2028".encode(),
    b"../",
    b"/dev/null",
    b"${var.a}",
    b"&a [*a]",
    b"!!python/object:os.system ",
    b"-----BEGIN CERTIFICATE-----\n",
    b"0001-01-01T00:00:00Z",
    b"99999h",
)
_TOKEN: Final = re.compile(rb"[\w.-]+|\"[^\"\n]*\"")


@st.composite
def inputs_near(draw: st.DrawFn, corpus: Sequence[bytes]) -> bytes:
    """An input of the corpus after up to four edits; now and then any bytes at all."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.binary(max_size=64))
    data = bytearray(draw(st.sampled_from(corpus)))
    for _ in range(draw(st.integers(1, 4))):
        edit = draw(st.sampled_from(_EDITS))
        edit(draw, data, corpus)
    return bytes(data)


def _place(draw: st.DrawFn, data: bytearray) -> int:
    return draw(st.integers(0, len(data)))


def _change_a_bit(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))


def _write_a_number(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    number, at = draw(st.sampled_from(_NUMBERS)), _place(draw, data)
    data[at : at + len(number)] = number


def _insert_a_word(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(draw, data)
    data[at:at] = draw(st.sampled_from(_WORDS))


def _change_a_token(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    tokens = list(_TOKEN.finditer(data))
    if tokens:
        begin, end = draw(st.sampled_from(tokens)).span()
        data[begin:end] = draw(st.sampled_from(_WORDS))


def _remove(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(draw, data)
    del data[at : at + draw(st.integers(1, 64))]


def _cut(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_place(draw, data) :]


def _repeat(draw: st.DrawFn, data: bytearray, _: Sequence[bytes]) -> None:
    at, size = _place(draw, data), draw(st.integers(1, 256))
    data[at:at] = data[at : at + size] * draw(st.integers(1, 4))


def _join(draw: st.DrawFn, data: bytearray, corpus: Sequence[bytes]) -> None:
    other = draw(st.sampled_from(corpus))
    data[_place(draw, data) :] = other[draw(st.integers(0, len(other))) :]


_EDITS: Final = (
    _change_a_bit,
    _write_a_number,
    _insert_a_word,
    _change_a_token,
    _remove,
    _cut,
    _repeat,
    _join,
)
