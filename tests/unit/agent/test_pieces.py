from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prism_iac.agent.server._pieces import LinePieces, pieces_of


@given(st.text(), st.integers(min_value=4, max_value=50))
def test_text_in_pieces_is_the_same_text(text: str, size: int) -> None:
    data = text.encode("utf-8", "surrogatepass")
    pieces = list(pieces_of(data, size))
    assert "".join(pieces) == data.decode("utf-8", "replace")
    assert all(len(piece.encode()) <= 3 * size for piece in pieces)


@given(st.binary(), st.integers(min_value=1, max_value=50))
def test_any_bytes_become_pieces_of_the_size(data: bytes, size: int) -> None:
    assert sum(1 for _ in pieces_of(data, size)) <= len(data)


@given(st.text(alphabet="aé漢😀"), st.integers(min_value=4, max_value=50))
def test_a_character_is_not_cut(text: str, size: int) -> None:
    pieces = list(pieces_of(text.encode(), size))
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= size for piece in pieces)


@given(
    st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=30)),
    st.lists(st.integers(min_value=1, max_value=20)),
)
def test_lines_do_not_depend_on_how_the_output_arrives(lines: list[str], cuts: list[int]) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    pieces = LinePieces(size=200)
    found: list[str] = []
    for cut in cuts:
        found += pieces.feed(data[:cut])
        data = data[cut:]
    found += pieces.feed(data)
    found += pieces.flush()
    assert found == [line for line in lines if line]


def test_a_line_without_end_is_given_out_in_pieces() -> None:
    pieces = LinePieces(size=4)
    assert list(pieces.feed(b"abcdefghij")) == ["abcd", "efgh"]
    assert list(pieces.feed(b"kl\nx")) == ["ijkl"]
    assert list(pieces.flush()) == ["x"]
