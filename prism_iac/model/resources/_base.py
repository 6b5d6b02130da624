"""What every resource model shares."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, ClassVar, Self

from pydantic import ValidationError

from prism_iac.model._canonical import Text
from prism_iac.model._change import LASTING, REPLACE, Rule, rule_of
from prism_iac.model._document import Document
from prism_iac.model._findings import findings_of

__all__ = ["InWorkspace", "ResourceModel"]


class ResourceModel(Document):
    """The inputs and outputs of one kind of resource.

    Fields with the rule `COMPUTED` are outputs; every other field is an input that the outputs repeat.
    """

    kind: ClassVar[str]
    """The name of the kind, as the engine's type token and people know it."""

    identity: Annotated[str, LASTING] = ""
    """The deterministic identity that the live object was created under."""

    @classmethod
    def rules(cls) -> Mapping[str, Rule]:
        """The change rule of every field, in the order of declaration."""
        return {name: rule_of(cls, name) for name in cls.model_fields}

    @classmethod
    def input_names(cls) -> tuple[str, ...]:
        """The fields that people set."""
        return tuple(name for name, rule in cls.rules().items() if rule.is_input)

    @classmethod
    def secret_output_names(cls) -> tuple[str, ...]:
        """The computed fields that are secret."""
        return tuple(name for name, rule in cls.rules().items() if rule.secret and not rule.is_input)

    @classmethod
    def secret_names(cls) -> tuple[str, ...]:
        """The fields that are secret, inputs and outputs."""
        return tuple(name for name, rule in cls.rules().items() if rule.secret)

    @classmethod
    def parse(cls, properties: Mapping[str, Any]) -> Self:
        """Read properties in any accepted spelling; unknown values stay unknown.

        Raises:
            InvalidInput: With every finding; values of secret fields are not repeated.
        """
        try:
            return cls.model_validate(dict(properties))
        except ValidationError as error:
            raise findings_of(error, cls) from None

    def properties(self) -> dict[str, Any]:
        """The fields as plain JSON values; fields without a value are left out."""
        return {
            name: _plain(value)
            for name in type(self).model_fields
            if (value := getattr(self, name)) is not None
        }

    def inputs(self) -> dict[str, Any]:
        """The properties that people set, and the identity."""
        wanted = {"identity", *self.input_names()}
        return {name: value for name, value in self.properties().items() if name in wanted}

    def with_(self, **computed: Any) -> Self:
        """The same resource with other values for some fields, validated."""
        return self.parse({**self.properties(), **computed})


class InWorkspace(ResourceModel):
    """What the resources that live in a Prism workspace share."""

    workspace: Annotated[Text, REPLACE]
    """The Prism workspace: its name, alias or id. Defaults to the provider's."""


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return {
            name: _plain(item)
            for name in type(value).model_fields
            if (item := getattr(value, name)) is not None
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
