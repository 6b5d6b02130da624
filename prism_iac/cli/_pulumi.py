"""What a Pulumi stack gives out: the certificates of its computations' clients, and its state."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prism_iac.cli._output import printable
from prism_iac.errors import Conflict
from prism_iac.prism import AgentConfigRecord

__all__ = ["ClientBundle", "find_bundle", "load_bundles", "load_resources"]

_OUTPUT: Final = "certificates"
_BY_HAND: Final = "Name the files with --server-ca, --client-cert and --client-key instead."


@dataclass(frozen=True, slots=True)
class ClientBundle:
    """What a participant gets of a certificate bundle, PEM; the key is not printed."""

    ca_certificate: str
    client_certificate: str | None
    client_key: str | None = field(repr=False)


def load_bundles(stack: str | None) -> dict[str, ClientBundle]:
    """The bundles in a stack's output `certificates`, by name.

    Args:
        stack: The stack's name; the selected one without it.

    Raises:
        Conflict: There is no Pulumi CLI, no project, no such stack, or the stack has no such output.
    """
    outputs = _outputs(stack)
    found = outputs.get(_OUTPUT)
    if not isinstance(found, Mapping):
        raise Conflict(f"the stack has no output `{_OUTPUT}`", next_step=_BY_HAND)
    return {
        name: ClientBundle(
            ca_certificate=values["ca_certificate"],
            client_certificate=values.get("client_certificate"),
            client_key=values.get("client_key"),
        )
        for name, values in found.items()
        if isinstance(values, Mapping) and isinstance(values.get("ca_certificate"), str)
    }


def find_bundle(bundles: Mapping[str, ClientBundle], config: AgentConfigRecord) -> ClientBundle:
    """The bundle that an agent was given.

    Its CA is the one that the agent asks clients for, or has issued the agent's own certificate.

    Raises:
        Conflict: There is none.
    """
    from prism_iac.pki import is_issued_by, load_certificates, public_key_of

    asked_for = load_certificates(config.client_ca_file.encode()) if config.client_ca_file else ()
    shown = load_certificates(config.cert_file.encode())[:1] if config.cert_file else ()
    keys = [key for authority in asked_for if (key := public_key_of(authority)) is not None]
    for bundle in bundles.values():
        # The agent of a run that is going on may have its files from before a renewal or a change of the CA.
        for authority in load_certificates(bundle.ca_certificate.encode()):
            if public_key_of(authority) in keys or any(is_issued_by(leaf, authority) for leaf in shown):
                return bundle
    raise Conflict(
        "no certificate bundle of the stack is that of this computation",
        next_step=f"Choose another stack with --stack. {_BY_HAND}",
    )


def load_resources(stack: str | None) -> list[dict[str, Any]]:
    """The resources in a stack's state, secrets encrypted.

    Args:
        stack: The stack's name; the selected one without it.

    Raises:
        Conflict: There is no Pulumi CLI, no project or no such stack.
    """
    exported = _ask(
        "export", stack=stack, by_hand="Choose a stack with --stack, or run it in its project's folder."
    )
    resources: list[dict[str, Any]] = exported.get("deployment", {}).get("resources") or []
    return resources


def _outputs(stack: str | None) -> dict[str, Any]:
    return _ask("output", "--json", "--show-secrets", stack=stack, by_hand=_BY_HAND)


def _ask(verb: str, *options: str, stack: str | None, by_hand: str) -> dict[str, Any]:
    from prism_iac.toolchain import find_pulumi

    project = _project(Path.cwd(), by_hand)
    pulumi = find_pulumi(os.environ)
    if pulumi is None:
        raise Conflict(f"there is no Pulumi CLI for `pulumi stack {verb}`", next_step=by_hand)
    command = [str(pulumi.binary), "stack", verb, *options, "--non-interactive"]
    answer = subprocess.run(  # noqa: S603  # the CLI that was found, no shell
        [*command, *(["--stack", stack] if stack else [])],
        cwd=project,
        env=pulumi.environment(project),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        words = printable(" ".join(answer.stderr.split()))
        raise Conflict(f"`pulumi stack {verb}` failed: {words}", where=str(project), next_step=by_hand)
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def _project(start: Path, by_hand: str) -> Path:
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise Conflict("there is no Pulumi project here", where=str(start), next_step=by_hand)
