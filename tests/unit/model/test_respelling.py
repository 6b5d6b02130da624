"""Re-spelling a resource changes nothing: order, case, units, line breaks, base64 for hexadecimal."""

# a spelling is found by the function that undoes it

from __future__ import annotations

import base64
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from prism_iac.model import _canonical as canonical
from prism_iac.model.resources import KINDS
from prism_iac.model.resources import _attestation_policy as policy
from tests.unit.model.test_kinds import EXAMPLES

Draw = Callable[[st.SearchStrategy[Any]], Any]


def in_any_case(draw: Draw, text: str) -> str:
    return "".join(character.upper() if draw(st.booleans()) else character for character in text)


def in_any_order(draw: Draw, items: Any) -> list[Any]:
    return (
        draw(st.permutations([*items, *draw(st.lists(st.sampled_from(items), max_size=2))])) if items else []
    )


def as_any_pem(draw: Draw, text: str) -> str:
    end: str = draw(st.sampled_from(["\n", "\r\n"]))
    width = draw(st.integers(3, 80))
    head, *body, tail, _ = text.split("\n")
    joined = "".join(body)
    lines = [joined[start : start + width] for start in range(0, len(joined), width)]
    before: str = draw(st.sampled_from(["", "Subject: Ada\n"]))
    return before + end.join([head, *lines, tail]) + end


def as_any_duration(draw: Draw, text: str) -> str:
    seconds = int(canonical.parse_duration(text).total_seconds())
    spelt: str = draw(st.sampled_from([f"{seconds}s", f" {seconds // 60}m{seconds % 60}s", text]))
    return spelt


SPELLERS: Final[dict[Any, Callable[[Draw, Any], Any]]] = {
    canonical._canonical_checksum: in_any_case,
    canonical._canonical_user: lambda draw, text: in_any_case(draw, text) if "@" in text else text,
    canonical._canonical_level: in_any_case,
    canonical._canonical_platform: in_any_case,
    canonical._canonical_provider: in_any_case,
    canonical._lower: in_any_case,
    str.lower: in_any_case,
    canonical._unique_sorted: in_any_order,
    policy._unique_sorted: in_any_order,
    canonical._canonical_actions: in_any_order,
    canonical.parse_pem: as_any_pem,
    canonical._canonical_duration: as_any_duration,
    canonical._whole_number: lambda draw, number: float(number) if draw(st.booleans()) else number,
    canonical._canonical_launch_digest: lambda draw, text: draw(
        st.sampled_from([text.upper(), base64.b64encode(bytes.fromhex(text)).decode()])
    ),
}
"""How a value may be spelt, by the function that brings it to its canonical form."""


def respelt(draw: Draw, value: Any, annotation: Any, metadata: Any = ()) -> Any:
    """The same value in another spelling."""
    if value is None:
        return None
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        value = respelt(draw, value, arguments[0])
        metadata = arguments[1:]
    elif origin in (Union, UnionType):
        value = respelt(draw, value, arguments[0])
    elif origin is tuple:
        value = [respelt(draw, item, arguments[0]) for item in value]
    elif origin is dict:
        value = {key: respelt(draw, item, arguments[1]) for key, item in value.items()}
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        value = respelt_fields(draw, value, annotation)
    for item in metadata:
        if speller := SPELLERS.get(getattr(item, "func", None)):
            met.add(speller)
            value = speller(draw, value)
    return value


def respelt_fields(draw: Draw, values: Any, model: type[BaseModel]) -> dict[str, Any]:
    names = draw(st.permutations(list(values)))
    fields = model.model_fields
    return {
        name: respelt(draw, values[name], fields[name].annotation, fields[name].metadata) for name in names
    }


met: set[Any] = set()
"""The spellers that some value was given to."""


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_spelling_of_a_resource_is_the_same_resource(kind: str, data: st.DataObject) -> None:
    inputs = KINDS[kind].parse(EXAMPLES[kind]).inputs()
    other = respelt_fields(data.draw, inputs, KINDS[kind])
    assert KINDS[kind].parse(other).inputs() == inputs


def test_every_way_to_spell_was_tried() -> None:
    """That the walk above reaches the values; a type that loses its speller would make it pass in vain."""
    missed = {function for function, speller in SPELLERS.items() if speller not in met}
    assert not missed
