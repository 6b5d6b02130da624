"""What a program may ask without declaring anything: computations, manifests, policies of VMs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prism_iac.errors import Conflict, Finding, InvalidInput
from prism_iac.lifecycle import HANDLERS
from prism_iac.model import Manifest, sha3_256
from prism_iac.model.resources import Computation
from prism_iac.model.wire import to_wire
from prism_iac.provider._deployment import Deployment

__all__ = ["FUNCTIONS", "Function"]

_WORKSPACE: Final = {"workspace": "The workspace; the provider's when left out."}
_SHOWN: Final = ("name", "description", "algorithm", "datasets", "result_consumers", "status", "owner")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the package.

    Attributes:
        description: What it gives.
        required: The arguments that it needs, each with what it means.
        optional: The others.
        returns: What it gives, each with its type and what it means.
        call: Does it.
    """

    description: str
    required: Mapping[str, str]
    optional: Mapping[str, str]
    returns: Mapping[str, tuple[Mapping[str, Any], str]]
    call: Callable[[Deployment, Mapping[str, Any]], Mapping[str, Any]]

    @property
    def schema(self) -> dict[str, Any]:
        """The function as the package schema has it."""
        arguments = {**self.required, **self.optional}
        return {
            "description": self.description,
            "inputs": {
                "properties": {
                    name: {"type": "string", "description": words} for name, words in arguments.items()
                },
                "required": list(self.required),
            },
            "outputs": {
                "properties": {
                    name: {**type_, "description": words} for name, (type_, words) in self.returns.items()
                },
                "required": list(self.returns),
            },
        }

    def __call__(self, deployment: Deployment, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer.

        Raises:
            InvalidInput: An argument is missing, or none of the function's.
        """
        findings = [
            Finding(path=name, message="is required", fix=f"Give it: {words}")
            for name, words in self.required.items()
            if arguments.get(name) is None
        ] + [
            Finding(path=name, message="is no argument of this function", fix="Remove it.")
            for name in arguments
            if name not in self.required and name not in self.optional
        ]
        if findings:
            raise InvalidInput(findings)
        return self.call(deployment, arguments)


def _get_computation(deployment: Deployment, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    workspace, name = _workspace(deployment, arguments), arguments["name"]
    record = deployment.session.snapshot(workspace).computations.find(name)
    if record is None:
        raise Conflict(
            f'the workspace has no computation named "{name}"',
            where=workspace,
            next_step="`prism-iac computations list` shows what is there.",
        )
    context = deployment.context(name, "")
    live = HANDLERS[Computation.kind].recall(f"{workspace}/{record.id}", context)
    if live is None:
        raise Conflict(f'the computation "{name}" was deleted meanwhile', where=workspace)
    seen = live.state.properties()
    return {"id": live.id, **to_wire(Computation, {field: seen.get(field) for field in _SHOWN})}


def _list_computations(deployment: Deployment, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    records = deployment.session.snapshot(_workspace(deployment, arguments)).computations.all()
    return {
        "computations": [
            {"id": record.id, "name": record.name, "status": record.status.value if record.status else None}
            for record in records
        ]
    }


def _get_manifest(deployment: Deployment, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    workspace = deployment.session.workspace(_workspace(deployment, arguments))
    manifest = Manifest.from_json(workspace.computations.manifest(arguments["computation"]))
    return {"manifest": manifest.canonical_bytes().decode(), "sha3256": manifest.digest().hex()}


def _get_policy(deployment: Deployment, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    workspace = deployment.session.workspace(_workspace(deployment, arguments))
    document = workspace.cvms.attestation_policy(arguments["vm"])
    return {"document": document.decode(), "sha3256": sha3_256(document).hex()}


def _workspace(deployment: Deployment, arguments: Mapping[str, Any]) -> str:
    workspace = arguments.get("workspace") or deployment.session.settings.workspace
    if workspace is None:
        raise InvalidInput(
            [
                Finding(
                    path="workspace",
                    message="no workspace is named",
                    fix="Give the argument, or set prism:workspace.",
                )
            ]
        )
    return str(workspace)


_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}

FUNCTIONS: Final[Mapping[str, Function]] = {
    "getComputation": Function(
        "A computation of a workspace by its name.",
        {"name": "The name of the computation."},
        _WORKSPACE,
        {
            "id": (_TEXT, "The id."),
            "name": (_TEXT, "The name."),
            "description": (_TEXT, "What the computation is for."),
            "algorithm": (_TEXT, "The id of the algorithm asset."),
            "datasets": (_TEXTS, "The ids of the dataset assets."),
            "resultConsumers": (_TEXTS, "The users who may fetch the result."),
            "status": (_TEXT, "The state now; follows the latest run."),
            "owner": (_TEXT, "The id of the user who owns the computation."),
        },
        _get_computation,
    ),
    "listComputations": Function(
        "The computations of a workspace, newest first.",
        {},
        _WORKSPACE,
        {
            "computations": (
                {"type": "array", "items": {"type": "object", "additionalProperties": _TEXT}},
                "The id, name and status of each.",
            )
        },
        _list_computations,
    ),
    "getManifest": Function(
        "The runtime manifest of a computation, as canonical JSON.",
        {"computation": "The id of the computation."},
        _WORKSPACE,
        {"manifest": (_TEXT, "The manifest."), "sha3256": (_TEXT, "SHA3-256 of its bytes.")},
        _get_manifest,
    ),
    "getAttestationPolicy": Function(
        "The attestation policy of a VM, as its first evidence gives it.",
        {"vm": "The id of the VM."},
        _WORKSPACE,
        {"document": (_TEXT, "The policy as JSON."), "sha3256": (_TEXT, "SHA3-256 of its bytes.")},
        _get_policy,
    ),
}
"""Every function by its name."""
