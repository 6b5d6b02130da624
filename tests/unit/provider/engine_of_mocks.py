"""What a program declares, recorded by Pulumi's mocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi
from pulumi.runtime import settings
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

__all__ = ["Declaration", "run"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the engine is told of a resource; inputs in clear."""

    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    request: Any

    @property
    def waits_for(self) -> set[str]:
        return {urn.rpartition("::")[2] for urn in self.request.dependencies}


class Recorder(MockMonitor, pulumi.runtime.Mocks):
    """An engine that makes everything at once and keeps what it was told, by logical name."""

    def __init__(self, *, preview: bool) -> None:
        super().__init__(self)
        self._preview = preview
        self.declared: dict[str, Declaration] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the engine's name
        self._request = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK has no types here

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        secrets = {name for name, value in args.inputs.items() if _is_secret(value)}
        clear = {name: _in_clear(value) for name, value in args.inputs.items()}
        if not args.typ.startswith("pulumi:"):
            self.declared[args.name] = Declaration(clear, frozenset(secrets), self._request)
        # A preview does not know the ids of what it would make.
        return None if self._preview else f"{args.name}-id", clear

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(_special_sig_key) == _special_secret_sig


def _in_clear(value: Any) -> Any:
    if _is_secret(value):
        return _in_clear(value["value"])
    if isinstance(value, Mapping):
        return {name: _in_clear(item) for name, item in value.items()}
    return [_in_clear(item) for item in value] if isinstance(value, list) else value


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all programs: its threads have loops of the SDK's, which nobody closes."""
    return asyncio.new_event_loop()


def run(program: Callable[[], Any], *, preview: bool = False) -> Mapping[str, Declaration]:
    """Run a program of the stack `dev` of the project `platform`; gives its resources by logical name."""
    recorder = Recorder(preview=preview)
    asyncio.set_event_loop(_loop())
    try:
        pulumi.runtime.set_mocks(recorder, project="platform", stack="dev", preview=preview, monitor=recorder)
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]  # the SDK has no types here
    finally:
        settings.reset_options()
        asyncio.set_event_loop(None)
    return recorder.declared
