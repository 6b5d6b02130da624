"""Whatever a server writes, reading it ends with a value or with our own error."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_iac.prism import records
from prism_iac.prism._json import Malformed, decode
from prism_iac.prism._paging import parse_page
from prism_iac.prism._tokens import TokenPair
from tests.unit.prism.test_records import COMPUTATION, CVM

PARSERS: list[Callable[[object], object]] = [
    *(getattr(records, name).parse for name in records.__all__ if name[0].isupper()),
    TokenPair.parse,
]
FIELD_NAMES = sorted(
    {
        *COMPUTATION,
        *CVM,
        "missing_items",
        "keys",
        "roles",
        "members",
        "day",
        "asset",
        "details",
        "credentials",
    }
)
WORDS = st.sampled_from(
    ["", "running", "0001-01-01T00:00:00Z", "2026-01-12T12:00:60+23:59", "$", ":", "e30=", "é"]
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELD_NAMES) | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=20,
)
objects = st.dictionaries(st.sampled_from(FIELD_NAMES), json_values, max_size=8).map(
    lambda fields: {"id": "x", **fields}
)


@given(document=json_values | objects)
def test_a_record_is_read_or_malformed(document: Any) -> None:
    for parse in PARSERS:
        with suppress(Malformed):
            parse(document)


DOCUMENTS: dict[str, dict[str, Any]] = {
    "ComputationRecord": COMPUTATION | {"roles": [{"id": "r", "name": "viewer", "actions": ["view"]}]},
    "CvmRecord": CVM,
    "RunRecord": {"id": "r", "run_number": 1, "computation_id": "c", "status": "running", "cvm_id": "v"},
    "AssetRecord": {"id": "a", "asset_type": "dataset", "description": "d", "computations": ["c"]},
    "CertificateRecord": {"serial_number": "1", "entity_id": "v", "revoked": False},
    "EventRecord": {"id": "e", "event_type": "Running", "status": "InProgress"},
    "LogRecord": {"id": "l", "message": "m", "level": "INFO"},
    "UserRecord": {"id": "u", "email": "ada@example.com", "credentials": {"username": "ada"}},
    "DomainRecord": {"id": "d", "name": "research", "alias": "lab"},
    "RoleRecord": {"id": "r", "name": "viewer", "actions": ["view"], "members": ["u"]},
}
CANNOT_DO_WITHOUT = {"id", "serial_number"}


@pytest.mark.fault(65)
@pytest.mark.parametrize("name", DOCUMENTS)
@given(more=st.dictionaries(st.text(min_size=1, max_size=6).map("x-".__add__), json_values, max_size=3))
def test_a_reply_that_says_more_says_the_same(name: str, more: dict[str, Any]) -> None:
    parse = getattr(records, name).parse
    document = {
        key: [v | more if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value
        for key, value in DOCUMENTS[name].items()
    }
    assert parse(document | more) == parse(DOCUMENTS[name])


@pytest.mark.fault(65)
@pytest.mark.parametrize("name", DOCUMENTS)
@given(data=st.data())
def test_a_reply_that_leaves_out_what_is_optional_is_read(name: str, data: st.DataObject) -> None:
    document = DOCUMENTS[name]
    kept = data.draw(st.sets(st.sampled_from(sorted(document))))
    record = getattr(records, name).parse(
        {key: value for key, value in document.items() if key in kept | CANNOT_DO_WITHOUT}
    )
    whole = getattr(records, name).parse(document)
    assert {key: getattr(record, key) for key in kept & set(record.__slots__)} == {
        key: getattr(whole, key) for key in kept & set(record.__slots__)
    }


@given(document=json_values)
def test_a_page_is_read_or_malformed(document: Any) -> None:
    with suppress(Malformed):
        parse_page(document, "computations", records.ComputationRecord.parse)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        decode(data)


@given(
    document=json_values.filter(
        lambda value: "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value)
    )
)
def test_what_json_can_say_is_decoded_as_said(document: Any) -> None:
    assert decode(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'[{"b": {"a": 1, "a": 1}}]', "same key twice"),
        (b'{"a": ', "breaks off"),
        (b"NaN", "a number that is none"),
        (b"[Infinity]", "a number that is none"),
        (b'"\xff"', "no Unicode"),
        (b'{"a": "\\ud800"}', "no Unicode"),
        (b"9" * 5000, "beyond all bounds"),
        (b"[" * 200_000, "beyond all bounds"),
        (b"", "breaks off"),
    ],
)
def test_json_that_is_none_is_malformed(data: bytes, complaint: str) -> None:
    with pytest.raises(Malformed, match=complaint):
        decode(data)


def test_a_surrogate_pair_is_one_character() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"
