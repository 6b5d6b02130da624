"""Between the property bags of the engine and the plain values of the handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from prism_iac._engine import PROVIDER_KEY
from prism_iac.model import UNKNOWN, Unknown

__all__ = ["from_engine", "to_engine"]


def from_engine(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values: without the provider key, unknown leaves as `UNKNOWN`."""
    return {name: _known(value) for name, value in properties.items() if name != PROVIDER_KEY}


def to_engine(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A new property bag; `UNKNOWN` leaves as the engine's own."""
    return {name: _engine_value(value) for name, value in properties.items()}


def _known(value: Any) -> Any:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return value


def _engine_value(value: Any) -> Any:
    if isinstance(value, Unknown):
        return pulumi.output.Unknown()  # type: ignore[no-untyped-call]  # untyped in the SDK
    if isinstance(value, Mapping):
        return {key: _engine_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_engine_value(item) for item in value]
    return value
