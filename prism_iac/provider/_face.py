"""The dynamic face: what state refers to and the engine's dynamic provider calls.

An instance carries nothing when it is pickled, so that state holds a reference of constant bytes to its
class. The work is in `_dynamic`, which only the plugin process imports: a program stays light.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

if TYPE_CHECKING:
    from prism_iac.provider._dynamic import DynamicService

__all__ = ["Face", "without_collections"]


class Face(ResourceProvider):
    """Checks, diffs and acts for one kind of resource."""

    kind: ClassVar[str]
    serialize_as_secret_always = False

    _service: DynamicService

    def configure(self, req: ConfigureRequest) -> None:
        """Take the configuration of the deployment; once per process and kind."""
        with without_collections():
            from prism_iac.provider._dynamic import DynamicService

            self._service = DynamicService.of(self.kind, req.config)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Canonical inputs, or every finding as a failure."""
        return self._service.check(_olds, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """No change, a change that the engine itself words, or one that time asks for."""
        return self._service.diff(_olds, _news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the object."""
        return self._service.create(props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The actual state; empty when the object is gone."""
        return self._service.read(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the object to the desired state in place."""
        return self._service.update(_id, _olds, _news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the object."""
        self._service.delete(_id, _props)


@contextmanager
def without_collections() -> Iterator[None]:
    """Keeps the collector from looking for garbage among what imports make: there is none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
