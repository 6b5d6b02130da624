"""One kind of resource as the native face has it: its service, and its properties on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2

from prism_iac.lifecycle import Difference
from prism_iac.model import UNKNOWN, rule_of
from prism_iac.model.resources import ResourceModel
from prism_iac.model.wire import camel, from_wire, secret_names, to_wire
from prism_iac.provider._service import Service
from prism_iac.provider.native._difference import leaves_that_differ
from prism_iac.provider.native._values import from_struct, secrets_in, to_struct

__all__ = ["Kind"]

_CHANGE: Final = {"add": 0, "delete": 2, "update": 4}
"""`PropertyDiff.Kind`; the same change where it replaces is the next number."""


@dataclass(frozen=True)
class Kind:
    """Answers for one kind."""

    service: Service

    @property
    def _model(self) -> type[ResourceModel]:
        model: type[ResourceModel] = self.service.handler.model
        return model

    @cached_property
    def lasting(self) -> tuple[str, ...]:
        """The outputs that no update changes."""
        return tuple(name for name, rule in self._model.rules().items() if rule.lasting)

    def plain(self, struct: Struct) -> dict[str, Any]:
        """Properties under the names of the model."""
        return from_wire(self._model, from_struct(struct))

    def struct(self, properties: Mapping[str, Any], *given: Struct) -> Struct:
        """Properties as the engine takes them; secret are those of the model and what was given as a secret."""
        secret = secret_names(self._model) | secrets_in(*given)
        return to_struct(to_wire(self._model, properties), secret=secret)

    def previewed(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """What a preview knows of the properties after a create or an update."""
        kept = {name: state[name] for name in self.lasting if name in state}
        computed = (name for name, rule in self._model.rules().items() if not rule.is_input)
        return {**dict.fromkeys(computed, UNKNOWN), **kept, **inputs}

    def detail(
        self, difference: Difference, state: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> dict[str, provider_pb2.PropertyDiff]:
        """The path of each property that differs, and how."""
        return dict(self._detail(difference, state, inputs))

    def _detail(
        self, difference: Difference, state: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Iterator[tuple[str, provider_pb2.PropertyDiff]]:
        for name in difference.changed:
            old = to_wire(self._model, {name: state.get(name)})
            new = to_wire(self._model, {name: inputs.get(name)})
            for path, change in leaves_that_differ(old, new):
                number = _CHANGE[change] + (name in difference.replaces)
                yield path, provider_pb2.PropertyDiff(kind=number, inputDiff=True)  # type: ignore[arg-type]  # an enum of ints
        if not difference.changed:
            # Time asks for it, or something that a peer has: what is made anew are outputs.
            for name in self._model.model_fields:
                rule = rule_of(self._model, name)
                if not rule.is_input and not rule.lasting and state.get(name) is not None:
                    yield camel(name), provider_pb2.PropertyDiff(kind=_CHANGE["update"], inputDiff=False)  # type: ignore[arg-type]  # an enum of ints
