from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.model import UNKNOWN, contains_unknown
from prism_iac.provider.native._values import from_struct, secrets_in, to_struct

PLAIN = st.recursive(
    st.booleans() | st.text() | st.integers(-(2**53), 2**53).map(float) | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.text(), PLAIN, max_size=4)


@given(PROPERTIES)
def test_what_is_written_is_read(properties: dict[str, Any]) -> None:
    assert from_struct(to_struct(properties)) == properties


@given(PROPERTIES, st.data())
def test_a_secret_is_read_in_plain_and_known_by_its_name(
    properties: dict[str, Any], data: st.DataObject
) -> None:
    secret = data.draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    struct = to_struct(properties, secret=secret)
    assert from_struct(struct) == properties
    assert secrets_in(struct) >= secret


def test_a_secret_within_is_marked_alone() -> None:
    struct = to_struct({"agent": {"serverKey": "k", "logLevel": "info"}}, secret={"serverKey"})
    agent = struct.fields["agent"].struct_value
    assert agent.fields["logLevel"].string_value == "info"
    assert agent.fields["serverKey"].struct_value.fields["value"].string_value == "k"
    assert secrets_in(struct) == {"serverKey"}


def test_a_list_with_a_secret_element_is_secret() -> None:
    struct = Struct()
    struct.update(
        {
            "words": [
                "plain",
                {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "s"},
            ]
        }
    )
    assert from_struct(struct) == {"words": ["plain", "s"]}
    assert secrets_in(struct) == {"words"}


def test_a_field_without_a_value_is_left_out() -> None:
    struct = Struct()
    struct.update({"name": None, "nested": {"also": None, "kept": 1.0}})
    assert from_struct(struct) == {"nested": {"kept": 1.0}}


@pytest.mark.parametrize("value", [UNKNOWN, [UNKNOWN], {"deep": [{"er": UNKNOWN}]}])
def test_what_is_not_known_yet_stays_so(value: Any) -> None:
    assert contains_unknown(from_struct(to_struct({"it": value})))
