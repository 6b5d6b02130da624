"""What a change of inputs does, said before anything is called."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prism_iac.lifecycle import EMBEDDED, HANDLERS, Context, Difference, Session, Settings, diff
from prism_iac.model import UNKNOWN

STATE: dict[str, Any] = {
    "identity": "0123456789ab.0",
    "workspace": "research",
    "computation": "c",
    "vm": "v",
    "triggers": {"data": "1"},
    "wait": True,
    "timeout": "1h",
    "stop_on_delete": False,
    "number": 1,
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """The surroundings of a preview; nothing can be reached."""
    return Context(
        name="run",
        identity=STATE["identity"],
        session=Session(Settings(endpoint=EMBEDDED, data=tmp_path)),
        default_workspace=None,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        pause=lambda _: None,
        report=lambda _: None,
    )


def change(context: Context, **changes: Any) -> Difference:
    inputs = {name: value for name, value in STATE.items() if name != "number"} | changes
    return diff(HANDLERS["ComputationRun"], STATE, inputs, context)


def test_equal_inputs_are_no_change(context: Context) -> None:
    assert not change(context)


def test_a_field_that_changes_in_place_replaces_nothing(context: Context) -> None:
    assert change(context, timeout="2h") == Difference(changed=("timeout",))


def test_a_field_that_replaces_is_named(context: Context) -> None:
    assert change(context, vm="w", timeout="2h") == Difference(("vm", "timeout"), replaces=("vm",))


def test_an_object_that_is_about_to_be_replaced_replaces_what_refers_to_it(context: Context) -> None:
    # Else the engine deletes the VM before the run that is going on there.
    assert change(context, vm=UNKNOWN).replaces == ("vm",)


def test_an_unknown_part_of_a_field_replaces_too(context: Context) -> None:
    assert change(context, triggers={"data": UNKNOWN}).replaces == ("triggers",)


def test_an_unknown_value_of_a_field_that_changes_in_place_replaces_nothing(context: Context) -> None:
    assert change(context, timeout=UNKNOWN) == Difference(changed=("timeout",))
