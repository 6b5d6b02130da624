"""The JSON Schema of a plan's JSON form (draft 2020-12)."""

from __future__ import annotations

import json

from pydantic.json_schema import GenerateJsonSchema

from prism_iac.plan._plan import Plan

__all__ = ["plan_schema"]


def plan_schema() -> str:
    """The schema as the text of its file."""
    schema = Plan.model_json_schema(mode="serialization")
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "Plan"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"
