"""The reference of the engine's figures: a dynamic resource that does nothing.

A project copies this file beside its program.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

__all__ = ["Noop"]


class _NoopProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("noop", props)


class Noop(Resource, module="benchmarks", name="Noop"):
    """Keeps its inputs as outputs."""

    def __init__(
        self, resource_name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(_NoopProvider(), resource_name, inputs, opts)
