"""Reaches the peers of a stack's resources as its own providers do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from prism_iac.lifecycle import Session
from prism_iac.provider._deployment import Deployment, deployment_of
from prism_iac.provider._service import Service
from prism_iac.provider.repair._recorded import kind_of, name_of, opened, plain
from prism_iac.provider.repair._state import StackState

__all__ = ["Services"]

_DEFAULT: Final = "default"
_NAMESPACE: Final = "prism:"


@dataclass(frozen=True, slots=True)
class _Configuration:
    values: Mapping[str, Any]

    def get(self, key: str) -> Any:
        value = self.values.get(key)
        return value if value is None or isinstance(value, str) else json.dumps(value)


@dataclass(slots=True)
class Services:
    """The services of one stack's kinds of resources, each under the configuration of its provider.

    A context manager, which ends the connections.

    Attributes:
        state: The stack.
        configuration: That of the stack, `prism:...`, in plain; default providers have it.
        report: Shows one line of the resource with a logical name.
        may_start: Whether an embedded backend that is not running is started.
    """

    state: StackState
    configuration: Mapping[str, str]
    report: Callable[[str, str], None]
    may_start: bool = False
    _deployments: dict[str, Deployment] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self.sessions():
            session.close()

    def of(self, resource: Mapping[str, Any]) -> Service:
        """The service of a resource of ours.

        Raises:
            InvalidInput: The configuration of its provider is not usable.
        """
        kind = kind_of(resource)
        assert kind is not None, "the caller has looked"
        return Service.of(kind, self._deployment(str(resource.get("provider", ""))))

    def places(self) -> Iterator[tuple[Deployment, tuple[str, ...]]]:
        """Where objects of the stack may be: each configuration of its providers, with the workspaces that are named."""
        named: dict[str, set[str]] = {"": set()}
        for resource in (*self.state.resources, *(pending.resource for pending in self.state.pending)):
            if kind_of(resource):
                workspace = plain(resource, "inputs").get("workspace")
                named.setdefault(str(resource.get("provider", "")), set()).update(
                    [workspace] if workspace else []
                )
        workspaces: dict[int, tuple[Deployment, set[str]]] = {}
        for reference, names in named.items():
            deployment = self._deployment(reference)
            default = deployment.session.settings.workspace
            found = workspaces.setdefault(id(deployment), (deployment, {default} if default else set()))
            found[1].update(names)
        for deployment, names in workspaces.values():
            yield deployment, tuple(sorted(names))

    def sessions(self) -> tuple[Session, ...]:
        """The sessions that were opened, one for each configuration."""
        return tuple(deployment.session for deployment in self._deployments.values())

    def _deployment(self, reference: str) -> Deployment:
        values = self._values(reference)
        key = json.dumps(values, sort_keys=True)
        if key not in self._deployments:
            deployment = deployment_of(_Configuration(values), report=self.report)
            if self.may_start:
                deployment.session.allow_start()
            self._deployments[key] = deployment
        return self._deployments[key]

    def _values(self, reference: str) -> Mapping[str, Any]:
        """The configuration that a provider has; a default one has that of the stack."""
        urn, _, provider_id = reference.rpartition("::")
        provider = self.state.entry(urn, provider_id)
        if provider is None or name_of(provider).startswith(_DEFAULT):
            return self.configuration
        return {
            name if name.startswith(_NAMESPACE) else f"{_NAMESPACE}{name}": opened(value)
            for name, value in (provider.get("inputs") or {}).items()
        }
