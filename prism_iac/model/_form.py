"""What JSON Schema and the reference say of a canonical type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

__all__ = ["Form"]


@dataclass(frozen=True, slots=True)
class Form:
    """Stands in the annotation of a canonical type.

    Attributes:
        name: What the reference calls the type.
        keywords: JSON Schema keywords of its canonical spelling, besides those that follow from the type.
    """

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The type's own schema with these keywords."""
        return {**handler(schema), **self.keywords}
