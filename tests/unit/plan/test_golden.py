"""Every form of some plans, to the byte.

After a change of wording, write them anew with `UPDATE_EXPECTED=1 pytest tests/unit/plan/test_golden.py` and
review the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from prism_iac.plan import Plan, markdown_of, plan_schema, text_of
from tests.unit.plan.golden import PLANS

ROOT = Path(__file__).parents[3]
EXPECTED = Path(__file__).parent / "expected"
FORMS: dict[str, Callable[[Plan], str]] = {"txt": text_of, "md": markdown_of, "json": Plan.to_json}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_told_to_the_byte(name: str, form: str) -> None:
    told = FORMS[form](PLANS[name])
    expected = EXPECTED / f"{name}.{form}"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")
    assert "CANARY" not in told


@pytest.mark.parametrize("name", PLANS)
def test_the_json_form_meets_its_schema_and_is_read_back(name: str) -> None:
    written = PLANS[name].to_json()
    jsonschema.validate(json.loads(written), json.loads(plan_schema()))
    assert Plan.model_validate_json(written) == PLANS[name]


def test_the_schema_is_what_make_generate_writes() -> None:
    written = (ROOT / "schemas" / "plan.schema.json").read_text(encoding="utf-8")
    assert written == plan_schema(), "run `make generate`"
