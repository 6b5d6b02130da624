"""How stack files are joined, and what is known of where each value comes from."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.spec import composed, explain
from prism_iac.spec._compose import compose
from prism_iac.spec._tree import Node, merge, plain, without_removed

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["x", "y"])
TREES = st.recursive(
    SCALARS | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, TREES, max_size=3)


def tree(value: Any, file: str = "f.yaml") -> Node:
    root, findings = compose(yaml.safe_dump(value), file)
    assert not findings
    return root


def joined(*values: Any) -> Any:
    return plain(without_removed(reduce(merge, [tree(value) for value in values])))


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_the_order_of_joining_does_not_matter_the_order_of_files_does(a: Any, b: Any, c: Any) -> None:
    left = without_removed(merge(merge(tree(a), tree(b)), tree(c)))
    right = without_removed(merge(tree(a), merge(tree(b), tree(c))))
    assert plain(left) == plain(right)


@given(DOCUMENTS)
def test_an_empty_file_changes_nothing(a: Any) -> None:
    assert joined({}, a) == joined(a, {}) == joined(a, {}, {})


@given(DOCUMENTS, DOCUMENTS)
def test_a_later_file_says_the_same_again_without_effect(a: Any, b: Any) -> None:
    assert joined(a, b, b) == joined(a, b)


def test_null_removes_and_a_later_file_sets_anew() -> None:
    base = {"vms": {"trainer": {"vcpus": 2, "limits": {"processes": 9}}, "other": {}}}
    assert joined(base, {"vms": {"trainer": None}}) == {"vms": {"other": {}}}
    assert joined(base, {"vms": {"trainer": None}}, {"vms": {"trainer": {"vcpus": 4}}}) == {
        "vms": {"trainer": {"vcpus": 4}, "other": {}}
    }


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack file that extends two others, which extend a third."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("workspace: lab\nvms:\n  one: {vcpus: 1}\n  two: {vcpus: 1}\n")
    Path("left.yaml").write_text("extends: base.yaml\nvms:\n  one: {vcpus: 2}\n")
    Path("right.yaml").write_text("extends: base.yaml\nvms:\n  two: null\n")
    Path("dev.yaml").write_text(
        "extends: [left.yaml, right.yaml]\nenvironment: dev\nvms:\n  one: {vcpus: 4}\n"
    )
    return Path("dev.yaml")


def test_a_file_that_several_extend_counts_where_it_first_comes(files: Path) -> None:
    assert composed(files) == {"workspace": "lab", "vms": {"one": {"vcpus": 4}}, "environment": "dev"}


def test_every_value_is_explained_by_the_lines_that_set_it(files: Path) -> None:
    (vcpus,) = explain(files, "vms.one")
    assert [(item.value, str(item.place)) for item in vcpus.settings] == [
        (1, "base.yaml:3:16"),
        (2, "left.yaml:3:16"),
        (4, "dev.yaml:4:16"),
    ]
    assert vcpus.counts.value == 4
    removed = {origin.path: origin for origin in explain(files, "vms.two")}
    assert removed["vms.two"].counts.value is None
    assert str(removed["vms.two"].counts.place) == "right.yaml:3:8"


def test_each_origin_points_at_the_line_that_holds_the_value(files: Path) -> None:
    for origin in explain(files):
        for setting in origin.settings:
            if isinstance(setting.value, dict):
                continue  # what a later file removes as a whole
            line = Path(setting.place.file).read_text().splitlines()[setting.place.line - 1]
            text = "null" if setting.value is None else str(setting.value)
            assert line[setting.place.column - 1 :].startswith(text)


def test_a_path_that_nothing_says_is_told_with_a_near_one(files: Path) -> None:
    with pytest.raises(InvalidInput, match=r'Did you mean "vms\.one"'):
        explain(files, "vms.oen")


@pytest.mark.parametrize("order", ["a.yaml -> b.yaml", "itself"])
def test_a_circle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(f"extends: [{'b.yaml' if order != 'itself' else 'a.yaml'}]\n")
    Path("b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(InvalidInput, match="extends itself"):
        explain(Path("a.yaml"))
