from __future__ import annotations

from dataclasses import dataclass

import pytest

from prism_iac.cli._lookup import by_name_or_id
from prism_iac.errors import Conflict, InvalidInput


@dataclass(frozen=True)
class Thing:
    id: str
    name: str


SUM, OTHER = Thing("1", "sum"), Thing("2", "other")


def test_a_thing_is_found_by_name_and_by_id() -> None:
    assert by_name_or_id([SUM, OTHER], "sum", what="computation") is SUM
    assert by_name_or_id([SUM, OTHER], "2", what="computation") is OTHER


def test_an_id_counts_before_a_name_that_looks_like_it() -> None:
    misleading = Thing("3", "1")
    assert by_name_or_id([misleading, SUM], "1", what="computation") is SUM


def test_a_name_that_two_have_is_refused_with_their_ids() -> None:
    with pytest.raises(Conflict, match="1, 3"):
        by_name_or_id([SUM, Thing("3", "sum")], "sum", what="computation")


def test_a_name_that_nobody_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match='Did you mean "other"'):
        by_name_or_id([SUM, OTHER], "othr", what="computation")
    with pytest.raises(InvalidInput, match="none yet"):
        by_name_or_id([], "sum", what="computation")
