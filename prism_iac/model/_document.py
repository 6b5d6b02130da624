"""The base of every document that people write or exchange."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, field_validator

from prism_iac.model._unknown import Unknown, contains_unknown

__all__ = ["Document"]


class Document(BaseModel):
    """A frozen, strict value; validating one brings every field to its canonical form.

    A field whose value a preview does not know yet keeps the unknown parts and validates the rest.
    """

    misnomers: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Names that people try for a field that does not exist, and what they do instead."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_enum_values=False,
        hide_input_in_errors=True,
        validate_default=True,
        defer_build=True,  # a process meets few of the kinds, and building all takes longer than their use
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _leave_unknowns_alone(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(value, Unknown):
            return value
        if not contains_unknown(value):
            return validate(value)
        try:
            return validate(value)
        except ValidationError as error:
            if all(isinstance(item["input"], Unknown) for item in error.errors(include_url=False)):
                return value
            raise
