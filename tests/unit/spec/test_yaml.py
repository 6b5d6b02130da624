from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from prism_iac.errors import InvalidInput
from prism_iac.spec import _compose
from prism_iac.spec._compose import compose
from prism_iac.spec._scalar import parse_plain
from prism_iac.spec._tree import place_of, plain, value_at


def read(text: str) -> Any:
    root, findings = compose(text, "stack.yaml")
    assert not findings
    return plain(root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("42", 42),
        ("-7", -7),
        ("0o17", 15),
        ("0x1f", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        # texts in YAML 1.2, whatever YAML 1.1 made of them
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-03-01", "2026-03-01"),
        ("0.8.2", "0.8.2"),
        ("-", "-"),
        (".", "."),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    assert parse_plain(text) == value
    assert type(parse_plain(text)) is type(value)


def test_an_endless_number_is_a_text() -> None:
    assert parse_plain("9" * 10_000) == "9" * 10_000


def test_quotes_make_a_text_of_anything() -> None:
    assert read("""{a: "42", b: 'true', c: "~"}""") == {"a": "42", "b": "true", "c": "~"}


@pytest.mark.fault(40)
def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert read("a: 1\r\nb:\r\n  c: 2\r\n") == {"a": 1, "b": {"c": 2}}


def test_a_merge_key_brings_fields_and_leaves_those_that_are_there() -> None:
    text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\nall: {<<: [*base, *other], a: 0}\n"
    assert read(text)["all"] == {"a": 0, "b": 2, "c": 4}


def test_a_quoted_merge_key_is_an_ordinary_name() -> None:
    assert read('{"<<": 1}') == {"<<": 1}


def test_an_aliased_value_has_the_place_where_it_was_written() -> None:
    root, _ = compose("first: &x\n  a: 1\nsecond: *x\n", "stack.yaml")
    assert place_of(root, ("second", "a")) == ("stack.yaml", 2, 6)


def test_every_value_knows_its_line_and_column() -> None:
    root, _ = compose("vms:\n  trainer:\n    names: [one, zwölf, three]\n", "stacks/dev.yaml")
    assert str(place_of(root, ("vms", "trainer", "names", 2))) == "stacks/dev.yaml:3:25"
    assert str(place_of(root, ("vms", "trainer"))) == "stacks/dev.yaml:3:5"
    assert str(place_of(root, ("vms", "trainer"), at_name=True)) == "stacks/dev.yaml:2:3"


def test_a_field_that_is_missing_has_the_place_of_what_lacks_it() -> None:
    root, _ = compose("vms:\n  trainer: {}\n", "stack.yaml")
    assert place_of(root, ("vms", "trainer", "limits", "memory_mib")) == ("stack.yaml", 2, 3)
    assert value_at(root, ("vms", "trainer", "limits")) is None


def test_deep_nesting_ends_in_a_finding_and_not_in_a_crash() -> None:
    with pytest.raises(InvalidInput, match="nested deeper"):
        compose("[" * 20_000 + "]" * 20_000, "stack.yaml")


def test_aliases_cannot_stand_for_more_than_a_bounded_number_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_compose, "_LARGEST_NODES", 30)
    text = "a: &a [1, 2, 3]\nb: &b [*a, *a, *a]\n"
    compose(text, "stack.yaml")
    with pytest.raises(InvalidInput, match="aliases") as refused:
        compose(text + "c: [*b, *b, *b]\n", "stack.yaml")
    assert refused.value.findings[0].line == 3


YAML_LIKE = st.text(alphabet=st.sampled_from(list("ab:-?[]{}&*!|>'\"%@`#,<~ \t\n\\é\U0001f600")), max_size=60)


@given(st.one_of(st.text(max_size=60), YAML_LIKE))
@example("a: !<tag:x> b")
@example("--- \n...\n--- ")
@example("%YAML 3.0\n---\n")
@example("? ")
@example("*")
def test_any_text_gives_a_tree_or_findings_and_never_another_error(text: str) -> None:
    with suppress(InvalidInput):
        compose(text, "stack.yaml")


TEXTS = st.text(alphabet=st.sampled_from(list("ab :-#'\"é\U0001f600\n0")), max_size=8)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXTS.filter(bool), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_the_parser_without_libyaml_gives_the_same_tree(value: object, flow: bool) -> None:  # noqa: FBT001  # hypothesis gives it by position
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_compose, "PARSER", yaml.Loader)
        slow = compose(text, "stack.yaml")
    assert compose(text, "stack.yaml") == slow
    assert plain(slow[0]) == value
