"""States of stacks as the engine exports them, for objects that a stage has made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from prism_iac._engine import (
    DYNAMIC_TYPES,
    NATIVE_TYPES,
    PROVIDER_KEY,
    PROVIDER_TYPES,
    SECRET_MARK,
    SIGNATURE,
)
from prism_iac.lifecycle import Live
from prism_iac.model.resources import KINDS
from prism_iac.model.wire import to_wire
from prism_iac.provider.faces import Face
from prism_iac.provider.repair import Decision, Services, StackState, apply, decide, finished
from tests.contract.lifecycle.stage import Stage

PROJECT: Final = "platform"
STACK: Final = "dev"
PACKAGES: Final = {Face.DYNAMIC: "pulumi-python", Face.NATIVE: "prism"}
TOKENS: Final = {Face.DYNAMIC: DYNAMIC_TYPES, Face.NATIVE: NATIVE_TYPES}


def urn_of(token: str, name: str) -> str:
    return f"urn:pulumi:{STACK}::{PROJECT}::{token}::{name}"


def provider(face: Face) -> dict[str, Any]:
    token = f"{PROVIDER_TYPES}{PACKAGES[face]}"
    return {"urn": urn_of(token, "default"), "custom": True, "id": "1", "type": token}


def resource(
    kind: str,
    name: str,
    inputs: Mapping[str, Any],
    *,
    live: Live[Any] | None = None,
    face: Face = Face.DYNAMIC,
    **more: Any,
) -> dict[str, Any]:
    """A resource, or what an operation says of one that has no object yet."""
    token = f"{TOKENS[face]}{kind}"
    parts: dict[str, Any] = {"inputs": inputs}
    if live is not None:
        parts["outputs"] = live.state.properties()
    for part, properties in parts.items():
        named = to_wire(KINDS[kind], properties) if face is Face.NATIVE else dict(properties)
        parts[part] = named | ({PROVIDER_KEY: "pickled"} if face is Face.DYNAMIC else {})
    return {
        "urn": urn_of(token, name),
        "custom": True,
        "type": token,
        "provider": f"{provider(face)['urn']}::1",
        **({"id": live.id} if live else {}),
        **parts,
        **more,
    }


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET_MARK, "plaintext": json.dumps(value)}


def state(
    *resources: Mapping[str, Any], pending: tuple[tuple[str, Mapping[str, Any]], ...] = ()
) -> StackState:
    operations = [{"type": operation, "resource": item} for operation, item in pending]
    return StackState(
        {
            "version": 3,
            "deployment": {
                "resources": [provider(Face.DYNAMIC), provider(Face.NATIVE), *resources],
                "pending_operations": operations,
            },
        }
    )


def services(stage: Stage, of: StackState) -> Services:
    configuration = {"prism:workspace": stage.workspace_name, "prism:dataFolder": str(stage.data)}
    return Services(of, configuration, report=lambda _name, line: stage.lines.append(line))


def settle(stage: Stage, before: StackState) -> tuple[list[Decision], StackState]:
    """What is decided, and the state afterwards."""
    with services(stage, before) as reached:
        decisions = [finished(item, reached) for item in decide(before, reached)]
    return decisions, apply(before, tuple(decisions))
